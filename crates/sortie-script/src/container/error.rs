//! What no container can be given.

use std::{ffi::OsString, path::PathBuf};

use thiserror::Error;

/// Why there is no container for these values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// What is no text cannot be in a request to an engine, which is JSON.
    #[error("{what} is {value:?}: an engine takes text in UTF-8 only, without NUL")]
    NotText {
        /// What it is.
        what: String,
        /// The bytes.
        value: OsString,
    },
    /// A path that engines read as another one.
    #[error("the path {path:?} has a carriage return before a line break, which engines drop")]
    LineBreak {
        /// The path.
        path: PathBuf,
    },
    /// A path that would depend on where the job happens to be.
    #[error("{what} must be an absolute path, got `{}`", .path.display())]
    Relative {
        /// What the path is of.
        what: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A name that no variable can have.
    #[error("no variable can be named {name:?}: a name is not empty and has no `=`")]
    VariableName {
        /// The name.
        name: OsString,
    },
    /// An image that would be taken for a flag, or for none.
    #[error("image {image:?} must be a name, not empty and without a dash in front")]
    Image {
        /// The image.
        image: String,
    },
}
