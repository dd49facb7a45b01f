//! What is kept of every candidate: little, as there may be many.

use sortie_results::jiff::Timestamp;
use sortie_results::{Object, Value};

use crate::standing::{self, Standing};
use crate::{Candidate, text, words};

/// The most of a name, in bytes.
const NAME: usize = 160;
/// The most of what went wrong, in bytes.
const DETAIL: usize = 200;
/// The most of a candidate's metrics, in bytes, and of one of them.
const METRICS: usize = 320;
const METRIC: usize = 60;

/// A candidate's line in the ranking, and its mark in the charts. Its text is fit to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: Box<str>,
    pub(crate) candidate: Box<str>,
    pub(crate) score: Option<f64>,
    pub(crate) standing: Standing,
    /// What its end is called.
    pub(crate) end: Box<str>,
    pub(crate) detail: Box<str>,
    /// `name value`, a line each.
    pub(crate) metrics: Box<str>,
    pub(crate) attempt: Box<str>,
    /// Where its machine is in the report's list.
    pub(crate) host: usize,
    /// Seconds.
    pub(crate) queued: f64,
    /// Seconds.
    pub(crate) running: f64,
    /// Seconds of CPU time.
    pub(crate) cpu: f64,
    /// Bytes; none where nothing was started.
    pub(crate) memory: Option<f64>,
    /// Seconds since 1970, as are the next two; none where there is no record.
    pub(crate) submitted: Option<f64>,
    pub(crate) started: Option<f64>,
    pub(crate) ended: Option<f64>,
}

impl Row {
    /// On the machine at that place, ranked by that metric.
    pub(crate) fn new(candidate: &Candidate, host: usize, ranked_by: &str) -> Self {
        let standing = Standing::of(candidate);
        let name = |name: &str| text::line(name, NAME).into();
        let detail = candidate.detail.as_deref().unwrap_or_default();
        let usage = candidate.usage;
        Self {
            id: name(&candidate.id),
            candidate: name(&candidate.candidate),
            score: candidate.metric(ranked_by),
            standing,
            end: standing::end(&candidate.outcome, standing).into(),
            detail: text::line(detail, DETAIL).into(),
            metrics: metrics(&candidate.metrics).into(),
            attempt: text::line(&candidate.attempt, 36).into(),
            host,
            queued: positive(candidate.seconds.queued),
            running: positive(candidate.seconds.running),
            cpu: positive(usage.cpu_user_seconds) + positive(usage.cpu_system_seconds),
            memory: bytes(usage.peak_memory_bytes),
            submitted: candidate.submitted_at.map(since_epoch),
            started: candidate.started_at.map(since_epoch),
            ended: candidate.ended_at.map(since_epoch),
        }
    }

    /// The end of its path, which is what differs from the others'.
    pub(crate) fn place(&self) -> &str {
        let mut slashes = self.candidate.rmatch_indices('/');
        slashes.nth(1).map_or(&self.candidate, |(at, _)| &self.candidate[at + 1..])
    }

    /// How long after that time it ended, in words.
    pub(crate) fn ended_after(&self, start: f64) -> String {
        self.ended.map(|ended| words::seconds(ended - start)).unwrap_or_default()
    }

    /// How long it ran, in words.
    pub(crate) fn ran(&self) -> String {
        words::seconds(self.running)
    }
}

fn positive(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.max(0.0) } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a size is shown with three digits")]
fn bytes(bytes: u64) -> Option<f64> {
    (bytes > 0).then_some(bytes as f64)
}

fn since_epoch(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

/// One metric a line, as many as fit.
fn metrics(metrics: &Object) -> String {
    let mut lines = String::new();
    for (name, value) in metrics {
        let value = match value {
            Value::String(value) => value.clone(),
            value => serde_json::to_string(value).unwrap_or_default(),
        };
        let line = format!("{}\t{}", text::line(name, METRIC), text::line(&value, METRIC));
        if lines.len() + line.len() > METRICS {
            return lines + "…\t\n";
        }
        lines += &line;
        lines.push('\n');
    }
    lines
}
