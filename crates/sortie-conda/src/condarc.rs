//! The directories of environments that configuration files name.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{CondaError, files, paths::Base, value};

/// What matters here of a `.condarc`. `envs_path` is conda's other name for it.
#[derive(Default, Deserialize)]
struct Condarc {
    envs_dirs: Option<Vec<String>>,
    envs_path: Option<Vec<String>>,
}

/// The `envs_dirs` of all configuration files, those of the file that wins first: conda merges
/// lists.
pub(crate) fn envs_dirs(base: Base<'_>, roots: &[PathBuf]) -> Result<Vec<PathBuf>, CondaError> {
    let mut found = Vec::new();
    for file in search_path(base, roots)? {
        let text = files::read(&file)?.unwrap_or_default();
        let condarc: Option<Condarc> = serde_yaml::from_slice(&text)
            .map_err(|error| CondaError::Condarc { file, problem: error.to_string() })?;
        let Condarc { envs_dirs, envs_path } = condarc.unwrap_or_default();
        let directories = envs_dirs.into_iter().chain(envs_path).flatten();
        found.extend(directories.map(|directory| base.expand(directory.as_ref())));
    }
    Ok(found)
}

/// The configuration files there are, the one that wins first: conda's `SEARCH_PATH`
/// (<https://docs.conda.io/projects/conda/en/latest/user-guide/configuration/use-condarc.html>,
/// "Searching for .condarc") backwards.
fn search_path(base: Base<'_>, roots: &[PathBuf]) -> Result<Vec<PathBuf>, CondaError> {
    let named = |name| value(base.env, name).map(PathBuf::from);
    let in_home = |name: &str| base.home.map(|home| home.join(name));
    let condarc = value(base.env, "CONDARC").map(|file| base.expand(file));
    let mut files: Vec<_> = condarc.into_iter().filter(|file| file.is_file()).collect();
    add(&mut files, named("CONDA_PREFIX"))?;
    files.extend(in_home(".condarc").filter(|file| file.is_file()));
    add(&mut files, in_home(".conda"))?;
    add(&mut files, in_home(".config/conda"))?;
    add(&mut files, named("XDG_CONFIG_HOME").map(|config| config.join("conda")))?;
    for root in roots {
        add(&mut files, Some(root.clone()))?;
    }
    add(&mut files, Some("/var/lib/conda".into()))?;
    add(&mut files, Some("/etc/conda".into()))?;
    Ok(files)
}

/// The configuration files of one directory that are not among these yet.
fn add(files: &mut Vec<PathBuf>, directory: Option<PathBuf>) -> Result<(), CondaError> {
    let Some(directory) = directory else { return Ok(()) };
    let mut found = yaml_files(&directory.join("condarc.d"))?;
    found.reverse();
    found.extend(["condarc", ".condarc"].map(|name| directory.join(name)));
    for file in found {
        if file.is_file() && !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(())
}

fn yaml_files(directory: &Path) -> Result<Vec<PathBuf>, CondaError> {
    let paths = files::entries(directory)?.into_iter();
    Ok(paths
        .filter(|path| path.extension().is_some_and(|it| it == "yml" || it == "yaml"))
        .collect())
}
