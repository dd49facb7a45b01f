//! The line of a candidate that is done.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;
use sortie_results::jiff::Timestamp;
use sortie_results::{Record, Results};

use crate::Candidate;

/// The line of a candidate that is done, as it is in `results.jsonl`: the JSON form of `sortie run`, with the candidate's
/// name before it and the times of its record after it, which are null where there is none.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResultLine<'a> {
    /// The candidate's id, which its results dir is called by.
    pub id: &'a str,
    /// Its path; what is not UTF-8 in it is U+FFFD.
    pub candidate: &'a str,
    /// What came of it.
    #[serde(flatten)]
    pub results: &'a Results,
    /// When its job was submitted.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub submitted_at: Option<Timestamp>,
    /// When its attempt was started, if it was.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// The machine it ran on.
    pub host: Option<&'a str>,
    /// The SHA-256 of the evaluator's file, in hexadecimal digits, as the file stood when the job was about to be started, or was
    /// handed to Slurm.
    pub evaluator_sha256: Option<&'a str>,
}

/// In JSON, without a newline. A candidate whose attempt left no record has no times.
pub(crate) fn json(
    candidate: &Candidate,
    results: &Results,
    record: Option<&Record>,
) -> io::Result<Vec<u8>> {
    let line = ResultLine {
        id: &candidate.id,
        candidate: &candidate.path.to_string_lossy(),
        results,
        submitted_at: record.map(|record| record.submitted_at),
        started_at: record.and_then(|record| record.started_at),
        ended_at: record.map(|record| record.ended_at),
        host: record.map(|record| record.host.as_str()),
        evaluator_sha256: record.and_then(|record| record.evaluator_sha256.as_deref()),
    };
    Ok(serde_json::to_vec(&line)?)
}
