//! The scripts that packages of an environment want sourced.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{CondaError, files};

/// Those for activation, in the order in which they run.
pub(crate) fn activate(prefix: &Path) -> Result<Vec<PathBuf>, CondaError> {
    scripts(&prefix.join("etc/conda/activate.d"))
}

/// Those for deactivation, in the order in which they run: backwards.
pub(crate) fn deactivate(prefix: &Path) -> Result<Vec<PathBuf>, CondaError> {
    let mut scripts = scripts(&prefix.join("etc/conda/deactivate.d"))?;
    scripts.reverse();
    Ok(scripts)
}

fn scripts(directory: &Path) -> Result<Vec<PathBuf>, CondaError> {
    let mut scripts = files::entries(directory)?;
    scripts.retain(|path| path.as_os_str().as_bytes().ends_with(b".sh"));
    Ok(scripts)
}
