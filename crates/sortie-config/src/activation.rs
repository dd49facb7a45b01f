//! Which Python runs the evaluator.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sortie_model::Activation;

/// How a local job finds its Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter<'a> {
    /// `python3` on PATH, or else `python`.
    OnPath,
    /// This program.
    Executable(&'a Path),
    /// `python` of this Conda environment, given by name or path.
    Conda(&'a str),
    /// `python` after this script has been sourced.
    Sourced(&'a Path),
}

/// What the two settings ask for, of which at most one is set in a valid configuration; like the reference, Conda wins
/// otherwise.
pub(crate) fn activation<'a>(
    conda_env: &'a str,
    activate_script: Option<&'a PathBuf>,
) -> Activation<'a> {
    match (conda_env.trim(), set_path(activate_script)) {
        ("", None) => Activation::None,
        ("", Some(script)) => Activation::Sourced(script),
        (name, _) => Activation::Conda(name),
    }
}

/// The path without white space around it, which the reference strips; blank means not set.
pub(crate) fn set_path(path: Option<&PathBuf>) -> Option<&Path> {
    let bytes = path?.as_os_str().as_bytes().trim_ascii();
    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes)))
}
