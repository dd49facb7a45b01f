//! From the name or path of an environment to its prefix.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{CondaError, Env, condarc, paths::Base, root, value};

/// The prefix of the environment, an absolute path, resolved as `conda activate` resolves it.
///
/// What has a slash, or is `.`, `..` or `~`, is a path; `~` and variables in it are expanded.
/// `base` and `root` are the installation itself. Any other name is looked up in, first match
/// wins:
///
/// 1. the directories of `CONDA_ENVS_DIRS` and `CONDA_ENVS_PATH`,
/// 2. `envs_dirs` of the `.condarc` files, in conda's order of precedence,
/// 3. `envs` of the installation, then `~/.conda/envs` (the other way round, as in conda, where
///    the user may not write to the installation),
/// 4. `envs` of further installations, such as mamba's beside conda's,
/// 5. the lines of `~/.conda/environments.txt` that end in it, which conda itself does not do.
///
/// A directory counts as an environment if `conda-meta` is a directory in it. (Conda also wants
/// `conda-meta/history` for some commands, not for activation; some tools do not write it.)
///
/// `cwd` is what a relative path is relative to.
///
/// # Errors
///
/// No such environment: one error that names it and every place looked at. A configuration file
/// that cannot be read, where a name is looked up.
pub fn find(
    name_or_path: &str,
    env: &Env,
    home: Option<&Path>,
    cwd: &Path,
) -> Result<PathBuf, CondaError> {
    let base = Base { env, home, cwd };
    let mut looked = candidates(name_or_path, base)?;
    if let Some(place) = looked.iter().position(|place| is_environment(place)) {
        return Ok(looked.swap_remove(place));
    }
    if !is_path(name_or_path)
        && !is_base(name_or_path)
        && let Some(list) = home.map(|home| home.join(".conda/environments.txt"))
        && list.is_file()
    {
        let listed = listed(&list, name_or_path);
        if let Some(place) = listed.iter().find(|place| is_environment(place)) {
            return Ok(place.clone());
        }
        looked.extend(listed);
        looked.push(list);
    }
    Err(CondaError::NotFound { name: name_or_path.to_owned(), looked })
}

/// Whether this directory is an environment.
pub(crate) fn is_environment(prefix: &Path) -> bool {
    prefix.join("conda-meta").is_dir()
}

fn is_path(name: &str) -> bool {
    name.contains('/') || matches!(name, "." | ".." | "~")
}

fn is_base(name: &str) -> bool {
    matches!(name, "base" | "root")
}

/// The directories that may be it, in conda's order.
fn candidates(name: &str, base: Base<'_>) -> Result<Vec<PathBuf>, CondaError> {
    if is_path(name) {
        return Ok(vec![base.expand(name.as_ref())]);
    }
    let roots = root::prefixes(base.env);
    if is_base(name) {
        return Ok(roots);
    }
    let mut places: Vec<PathBuf> = Vec::new();
    for directory in envs_dirs(base, &roots)? {
        let place = directory.join(name);
        // An empty name would be the directory of all environments.
        if !name.is_empty() && !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

/// The directories of environments, in conda's order.
fn envs_dirs(base: Base<'_>, roots: &[PathBuf]) -> Result<Vec<PathBuf>, CondaError> {
    let variables = ["CONDA_ENVS_DIRS", "CONDA_ENVS_PATH"].map(|name| value(base.env, name));
    let set = variables.into_iter().flatten().flat_map(std::env::split_paths);
    let set = set.filter(|directory| !directory.as_os_str().is_empty());
    let mut directories: Vec<_> = set.map(|directory| base.expand(directory.as_ref())).collect();

    directories.extend(condarc::envs_dirs(base, roots)?);

    let own = base.home.map(|home| home.join(".conda/envs"));
    let mut installed: Vec<_> = roots.iter().map(|root| root.join("envs")).collect();
    let first = usize::from(roots.first().is_some_and(|root| is_writable(root)));
    installed.splice(first..first, own);
    directories.extend(installed);
    Ok(directories)
}

/// Conda's own test.
fn is_writable(root: &Path) -> bool {
    fs::OpenOptions::new().append(true).open(root.join("conda-meta/history")).is_ok()
}

/// The lines that end in this name. The list is conda's own notebook, which it can do without: one
/// that cannot be read has no lines.
fn listed(list: &Path, name: &str) -> Vec<PathBuf> {
    let text = fs::read(list).unwrap_or_default();
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let paths = lines.map(|line| Path::new(OsStr::from_bytes(line)));
    let paths = paths.filter(|path| path.is_absolute() && path.file_name() == Some(name.as_ref()));
    paths.map(Path::to_path_buf).collect()
}
