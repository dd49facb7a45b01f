//! What is activated before an evaluator.

use std::path::Path;

/// What a job activates before its evaluator is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation<'a> {
    /// Nothing.
    None,
    /// This Conda environment, by name or path.
    Conda(&'a str),
    /// Source this script; one without a slash is of the working directory.
    Sourced(&'a Path),
}
