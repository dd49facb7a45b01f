//! What the ledger's lines say.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sortie_results::jiff::Timestamp;
use sortie_results::{Fault, Results};

use crate::again::Tombstone;
use crate::{Candidate, path_text};

/// The version of the ledger's form. A reader refuses any other.
pub(crate) const VERSION: u32 = 1;

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The first line.
    Sweep(Header),
    /// A line for each candidate, in their order, right after it.
    Candidate(Candidate),
    /// A launcher sees to the sweep from here on.
    Session(Session),
    /// Candidates are about to be handed over to run.
    Start { at: Timestamp, ids: Vec<String> },
    /// The evaluator that the ends up to the next entry of this kind were made with, in this session; `None` where that is not
    /// known.
    Evaluator { sha256: Option<String> },
    /// A candidate is done: its line is in the file of results.
    End(NamedEnd),
    /// The file of results was cut there: what lies beyond is not done.
    Cut { at: Timestamp, offset: u64 },
    /// Candidates that were done are to be run again: their lines are taken out of the file of results.
    Again { at: Timestamp, candidates: Vec<Tombstone> },
}

/// What a sweep is, as it was when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the ledger's form.
    pub version: u32,
    /// The sortie that made it.
    pub sortie: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where relative paths start from.
    #[serde(with = "path_text")]
    pub cwd: PathBuf,
    /// How many candidates there are.
    pub candidates: usize,
    /// How it was to be driven.
    #[serde(flatten)]
    pub options: Options,
}

/// How a sweep is driven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The member of `metrics.json` that candidates are ranked by, highest first.
    pub score: String,
    /// How many jobs run at once on this machine.
    pub workers: usize,
    /// How many jobs may be in Slurm's hands at once.
    pub in_slurm: usize,
    /// After how many candidates the sweep stops, if all that ended before any other did fail by the set-up, with one and
    /// the same error; 0 for never.
    #[serde(default = "setup_failures")]
    pub setup_failures: usize,
}

/// By `combined_score`; 4 workers, 4,000 in Slurm's hands; 3 failures of the set-up.
impl Default for Options {
    fn default() -> Self {
        Self {
            score: "combined_score".to_owned(),
            workers: 4,
            in_slurm: 4000,
            setup_failures: setup_failures(),
        }
    }
}

const fn setup_failures() -> usize {
    3
}

/// A launcher that saw to a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// From when on.
    pub at: Timestamp,
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "FlatEnd")]
pub(crate) struct NamedEnd {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) end: End,
}

/// The same, as it is read: a flattened member would be copied on its way, and there are as many ends as candidates.
#[derive(Deserialize)]
struct FlatEnd {
    id: String,
    offset: u64,
    len: u64,
    crc: u32,
    correct: bool,
    outcome: String,
    fault: Option<Fault>,
    score: Option<f64>,
}

impl From<FlatEnd> for NamedEnd {
    fn from(flat: FlatEnd) -> Self {
        let FlatEnd { id, offset, len, crc, correct, outcome, fault, score } = flat;
        let evaluator = None;
        Self { id, end: End { offset, len, crc, correct, outcome, fault, score, evaluator } }
    }
}

/// A candidate that is done: where its line is among the results, and the gist of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Where its line starts, in bytes.
    pub offset: u64,
    /// How long the line is, in bytes, without its newline.
    pub len: u64,
    /// The line's CRC-32 (IEEE 802.3).
    pub crc: u32,
    /// Whether the candidate is correct.
    pub correct: bool,
    /// The kind of its outcome, as in `timed_out`.
    pub outcome: String,
    /// Whose fault it is, if something went wrong.
    pub fault: Option<Fault>,
    /// Its score, if it is correct and has one that is finite.
    pub score: Option<f64>,
    /// The SHA-256 of the evaluator that it was made with, if that is known. The ledger has it apart.
    #[serde(skip)]
    pub evaluator: Option<Arc<str>>,
}

impl End {
    /// Of a line at that place.
    pub(crate) fn new(
        offset: u64,
        line: &[u8],
        results: &Results,
        score: &str,
        evaluator: Option<Arc<str>>,
    ) -> Self {
        let score = results.metrics.get(score).and_then(sortie_results::Value::as_f64);
        Self {
            offset,
            len: line.len() as u64,
            crc: crc32fast::hash(line),
            correct: results.correct,
            outcome: results.outcome.kind().to_owned(),
            fault: results.fault,
            score: score.filter(|score| results.correct && score.is_finite()),
            evaluator,
        }
    }

    /// Whether somebody stopped it, so that nothing is known of the candidate.
    pub fn is_stopped(&self) -> bool {
        self.fault.is_none() && self.outcome == "cancelled"
    }

    /// Where the next line starts, in bytes.
    pub fn next_offset(&self) -> u64 {
        self.offset + self.len + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_it_was_written() {
        let end = End {
            offset: 1,
            len: 2,
            crc: 3,
            correct: true,
            outcome: "exited".to_owned(),
            fault: Some(Fault::Setup),
            score: Some(0.5),
            evaluator: None,
        };
        let entry = Entry::End(NamedEnd { id: "a".to_owned(), end });
        let json = serde_json::to_string(&entry).unwrap();
        let said = r#"{"end":{"id":"a","offset":1,"len":2,"crc":3,"correct":true,"outcome":"exited","fault":"setup","score":0.5}}"#;
        assert_eq!(json, said);
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }
}
