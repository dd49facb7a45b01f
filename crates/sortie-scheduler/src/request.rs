//! What is asked for: one job.

use std::path::{Path, PathBuf};

/// A job to be accepted. A candidate and a results dir, as a pair, are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The program to evaluate.
    pub candidate: PathBuf,
    /// Where its logs and results go.
    pub results_dir: PathBuf,
    /// What its evaluator is told beside the settings' `extra_cmd_args`: names and values. A name that the settings have
    /// too takes this value; others follow.
    pub extra_args: Vec<(String, String)>,
}

impl<C: AsRef<Path>, R: AsRef<Path>> From<(C, R)> for Request {
    fn from((candidate, results_dir): (C, R)) -> Self {
        Self {
            candidate: candidate.as_ref().to_owned(),
            results_dir: results_dir.as_ref().to_owned(),
            extra_args: Vec::new(),
        }
    }
}
