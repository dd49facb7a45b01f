//! Why an environment cannot be found or activated.

use std::{ffi::OsString, fmt::Write, io, path::PathBuf};

/// Why an environment cannot be found or activated: for the user to mend, in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CondaError {
    /// There is no such environment.
    #[error("no Conda environment `{name}`: {}", places(.looked))]
    NotFound {
        /// The name or path that was asked for.
        name: String,
        /// The directories, and the list of environments, that could have been it or named it.
        looked: Vec<PathBuf>,
    },
    /// A file or directory is there, but cannot be read.
    #[error("{}: cannot read: {cause}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A configuration file is not what conda could read either.
    #[error("{}: not a Conda configuration: {problem}", file.display())]
    Condarc {
        /// Which.
        file: PathBuf,
        /// Why, and where in it.
        problem: String,
    },
    /// A file that sets variables is not JSON of the form conda writes.
    #[error("{}: not an object of environment variables: {problem}", file.display())]
    Variables {
        /// Which.
        file: PathBuf,
        /// Why, and where in it.
        problem: String,
    },
    /// A file sets a variable that cannot be set.
    #[error("{}: environment variable `{}` {problem}", file.display(), name.escape_debug())]
    Variable {
        /// Which.
        file: PathBuf,
        /// The name in it.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `CONDA_SHLVL` is not a number.
    #[error("CONDA_SHLVL is {value:?}, not a number; unset it, or run `conda deactivate`")]
    Level {
        /// What it is.
        value: OsString,
    },
    /// `PATH` cannot hold a directory with a colon in its name.
    #[error("{}: no environment at a path with a colon can be on PATH; move it", prefix.display())]
    Colon {
        /// The environment.
        prefix: PathBuf,
    },
}

/// Where a name was looked for, in words.
fn places(looked: &[PathBuf]) -> String {
    let mut text = String::from("no directory with a conda-meta directory in it at ");
    match looked {
        [] => text.push_str(
            "all, since no Conda installation was found: put conda on PATH, or set CONDA_EXE or \
             MAMBA_ROOT_PREFIX",
        ),
        _ => looked.iter().enumerate().for_each(|(i, place)| {
            let comma = if i == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}{}", place.display());
        }),
    }
    text
}
