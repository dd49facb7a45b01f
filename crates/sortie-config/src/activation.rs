//! Which Python runs the evaluator.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

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

/// How a Slurm job sets up its environment before it calls `python`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation<'a> {
    /// Not at all.
    None,
    /// Activate this Conda environment, given by name or path.
    Conda(&'a str),
    /// Source this script.
    Sourced(&'a Path),
}

impl<'a> Activation<'a> {
    /// From the two settings, of which at most one is set in a valid configuration; like the
    /// reference, Conda wins otherwise.
    pub(crate) fn new(conda_env: &'a str, activate_script: Option<&'a PathBuf>) -> Self {
        match (conda_env.trim(), set_path(activate_script)) {
            ("", None) => Self::None,
            ("", Some(script)) => Self::Sourced(script),
            (name, _) => Self::Conda(name),
        }
    }
}

/// The path without white space around it, which the reference strips; blank means not set.
pub(crate) fn set_path(path: Option<&PathBuf>) -> Option<&Path> {
    let bytes = path?.as_os_str().as_bytes().trim_ascii();
    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes)))
}
