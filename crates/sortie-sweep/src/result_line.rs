//! The line of a candidate that is done.

use std::io;

use serde::Serialize;
use sortie_results::jiff::Timestamp;
use sortie_results::{Record, Results};

use crate::Candidate;

/// The JSON form of `sortie run`, with the candidate's name before it and the times of its record after it.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    candidate: &'a str,
    #[serde(flatten)]
    results: &'a Results,
    submitted_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    host: Option<&'a str>,
}

/// In JSON, without a newline. A candidate whose attempt left no record has no times.
pub(crate) fn json(
    candidate: &Candidate,
    results: &Results,
    record: Option<&Record>,
) -> io::Result<Vec<u8>> {
    let line = Line {
        id: &candidate.id,
        candidate: &candidate.path.to_string_lossy(),
        results,
        submitted_at: record.map(|record| record.submitted_at),
        started_at: record.and_then(|record| record.started_at),
        ended_at: record.map(|record| record.ended_at),
        host: record.map(|record| record.host.as_str()),
    };
    Ok(serde_json::to_vec(&line)?)
}
