//! What no script can carry.

use std::{ffi::OsString, path::PathBuf};

use thiserror::Error;

use crate::{ContainerError, NulByte};

/// Why there is no script for these values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A NUL byte, which ends every text for the operating system.
    #[error("{what} holds {nul}")]
    Nul {
        /// What holds it.
        what: String,
        /// Where in it.
        nul: NulByte,
    },
    /// More than the operating system passes to a program in one piece.
    #[error("{what} has {length} bytes, more than the 131071 of one argument or variable")]
    TooLong {
        /// What is too long.
        what: String,
        /// Its length in bytes.
        length: usize,
    },
    /// An option of sbatch that cannot be written as a directive.
    #[error("sbatch option `{option}` with value {value:?}: {problem}")]
    Option {
        /// The option, without dashes.
        option: String,
        /// Its value, empty without one.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name that Slurm could not look the job up by.
    #[error("job name {name:?} must be letters, digits, `-`, `_` and `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// A path that would depend on where the job happens to be.
    #[error("{what} must be an absolute path, got `{}`", .path.display())]
    Relative {
        /// What the path is of.
        what: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A name that no variable can have here.
    #[error("no variable can be named {name:?}: a name is not empty and has no `=`")]
    VariableName {
        /// The name.
        name: OsString,
    },
    /// An activation that names nothing.
    #[error("the Conda environment {name:?} starts with a dash and would be taken for an option")]
    CondaEnvironment {
        /// The name.
        name: String,
    },
    /// A command without a program, or one that `env` would take for a variable.
    #[error("the evaluator's program {program:?} must be a name or path without `=`")]
    Program {
        /// What it is, empty without one.
        program: OsString,
    },
    /// A container that cannot be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A job array of no elements.
    #[error("a job array needs at least one element")]
    NoElement,
}
