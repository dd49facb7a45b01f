//! A candidate of a sweep.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::path_text;

/// A candidate of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name in the sweep, which no other has, and that of its results dir in the sweep's directory.
    pub id: String,
    /// The program, as given: a relative path starts from the sweep's working directory.
    #[serde(with = "path_text", rename = "candidate")]
    pub path: PathBuf,
    /// What the evaluator is told beside the settings' `extra_cmd_args`: names and values, as text. A name that the
    /// settings have too takes this value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(String, String)>,
}
