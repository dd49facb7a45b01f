//! A candidate as a sweep leaves it: one line of JSON.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sortie_results::jiff::Timestamp;
use sortie_results::{Fault, Object, Outcome, Seconds, Usage, Value};
use thiserror::Error;

/// A candidate whose evaluation has ended.
///
/// All text in it may be hostile: it is cleaned where it is added to a [`Report`](crate::Report).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Candidate {
    /// Its name in the sweep, which is that of its results dir.
    pub id: String,
    /// The candidate's path.
    pub candidate: String,
    /// Whether it is correct.
    pub correct: bool,
    /// What its evaluator measured.
    #[serde(deserialize_with = "metrics")]
    pub metrics: Object,
    /// The end of its standard output.
    #[serde(default, rename = "stdout_log")]
    pub stdout: String,
    /// The end of its standard error.
    #[serde(default, rename = "stderr_log")]
    pub stderr: String,
    /// How its last attempt ended.
    pub outcome: Outcome,
    /// Whose fault it is, if something went wrong.
    pub fault: Option<Fault>,
    /// What went wrong, in one line.
    pub detail: Option<String>,
    /// How long the attempt took.
    pub seconds: Seconds,
    /// Which attempt it was, 32 hexadecimal digits.
    pub attempt: String,
    /// What it used.
    pub usage: Usage,
    /// When it was submitted, if there is a record of it.
    pub submitted_at: Option<Timestamp>,
    /// When it was started, if it was.
    pub started_at: Option<Timestamp>,
    /// When it had ended, if there is a record of it.
    pub ended_at: Option<Timestamp>,
    /// The machine it ran on; empty if none.
    #[serde(default, deserialize_with = "host")]
    pub host: String,
    /// The SHA-256 of the evaluator that judged it, if that is known.
    #[serde(default)]
    pub evaluator_sha256: Option<String>,
}

/// Why a line is no candidate.
#[derive(Debug, Error)]
#[error("not a line of results.jsonl: {0}")]
pub struct LineError(String);

impl Candidate {
    /// Reads one line of a sweep's `results.jsonl`: the JSON form of results, with `id`, `candidate`,
    /// `submitted_at`, `started_at`, `ended_at`, `host` and `evaluator_sha256`. Other members are passed over.
    pub fn from_json(line: &[u8]) -> Result<Self, LineError> {
        serde_json::from_slice(line).map_err(|error| LineError(error.to_string()))
    }

    /// One of its metrics, if it is a finite number.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name)?.as_f64().filter(|score| score.is_finite())
    }
}

/// Nothing to rank by, if they are no object or nested deeper than is read.
fn metrics<'de, D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
    let json = <&RawValue>::deserialize(from)?;
    Ok(match Value::parse(json.get().as_bytes()) {
        Ok(Value::Object(members)) => *members,
        _ => Object::new(),
    })
}

fn host<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"a\"b","candidate":"a.py","correct":true,
        "metrics":{"combined_score":2.5,"worst":"NaN"},"correct_json":{},"stdout_log":"out",
        "stderr_log":"","outcome":{"kind":"exited","code":0},"fault":null,"detail":null,
        "seconds":{"queued":1,"running":2.5,"total":3.5},"attempt":"00","usage":
        {"cpu_user_seconds":1,"cpu_system_seconds":0,"peak_memory_bytes":1024},"later":[1],
        "submitted_at":"2026-01-01T00:00:00Z","started_at":null,"ended_at":"2026-01-01T00:00:04Z",
        "host":"node1"}"#;

    #[test]
    fn a_line_is_read_and_what_is_new_in_it_passed_over() {
        let candidate = Candidate::from_json(LINE.as_bytes()).unwrap();
        assert_eq!(
            (candidate.id.as_str(), candidate.metric("combined_score")),
            ("a\"b", Some(2.5))
        );
        assert_eq!(candidate.outcome, Outcome::Exited { code: 0 });
        assert_eq!((candidate.stdout.as_str(), candidate.host.as_str()), ("out", "node1"));
    }

    #[test]
    fn a_score_is_a_finite_number() {
        let scores = [("\"NaN\"", None), ("[1]", None), ("3", Some(3.0)), ("1e999", None)];
        for (score, expected) in scores {
            let line = LINE.replace("2.5,\"worst\"", &format!("{score},\"worst\""));
            let candidate = Candidate::from_json(line.as_bytes()).unwrap();
            assert_eq!(candidate.metric("combined_score"), expected, "{score}");
        }
    }

    #[test]
    fn half_a_line_is_an_error() {
        let error = Candidate::from_json(&LINE.as_bytes()[..300]).unwrap_err();
        assert!(error.to_string().starts_with("not a line of results.jsonl: EOF"), "{error}");
    }
}
