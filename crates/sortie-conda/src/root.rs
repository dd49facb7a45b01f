//! The installations of conda and mamba that an environment knows of.

use std::path::{Path, PathBuf};

use crate::{Env, find::is_environment, value};

/// The root prefixes, the likeliest first, each once.
///
/// Conda knows its own from the Python it runs in. From outside: `CONDA_EXE` (`ROOT/bin/conda`,
/// which conda's shell function exports), `_CONDA_ROOT`, `CONDA_ROOT`, the `conda` on `PATH`
/// (through its symbolic link, if it is one), the active environment, and mamba's
/// `MAMBA_ROOT_PREFIX` and `MAMBA_EXE`.
pub(crate) fn prefixes(env: &Env) -> Vec<PathBuf> {
    let named = |name| value(env, name).map(PathBuf::from);
    let mut found = Vec::new();
    found.extend(named("CONDA_EXE").as_deref().and_then(above_bin));
    found.extend(named("_CONDA_ROOT"));
    found.extend(named("CONDA_ROOT"));
    found.extend(on_path(env));
    found.extend(named("CONDA_PREFIX").as_deref().and_then(of_environment));
    found.extend(named("MAMBA_ROOT_PREFIX"));
    let mamba = named("MAMBA_EXE");
    found.extend(mamba.as_deref().and_then(above_bin).filter(|root| is_environment(root)));
    let mut prefixes: Vec<PathBuf> = Vec::new();
    for prefix in found {
        if prefix.is_absolute() && !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    prefixes
}

/// The installation whose `conda` a shell would call, among these.
pub(crate) fn with_conda(prefixes: &[PathBuf]) -> Option<&Path> {
    prefixes.iter().find(|root| root.join("bin/conda").is_file()).map(PathBuf::as_path)
}

/// `ROOT` of `ROOT/bin/conda` or `ROOT/condabin/conda`.
fn above_bin(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.to_path_buf())
}

fn on_path(env: &Env) -> Option<PathBuf> {
    let mut folders = std::env::split_paths(value(env, "PATH")?);
    let conda = folders.find_map(|folder| Some(folder.join("conda")).filter(|it| it.is_file()))?;
    let installed = |program: &Path| above_bin(program).filter(|root| is_environment(root));
    installed(&conda).or_else(|| installed(&conda.canonicalize().ok()?))
}

/// `ROOT` of `ROOT/envs/NAME`, or the prefix itself where conda is installed in it.
fn of_environment(prefix: &Path) -> Option<PathBuf> {
    let parent = prefix.parent()?;
    if parent.ends_with("envs") {
        return parent.parent().map(Path::to_path_buf);
    }
    prefix.join("bin/conda").is_file().then(|| prefix.to_path_buf())
}
