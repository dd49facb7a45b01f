//! What is activated before an evaluator.

use std::path::PathBuf;

/// What a job activates before its evaluator is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// This Conda environment, by name or path.
    Conda(String),
    /// Source this script; one without a slash is of the working directory.
    Sourced(PathBuf),
}
