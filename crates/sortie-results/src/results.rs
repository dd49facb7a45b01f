//! What is known of an attempt once it has ended.

use std::fs::File;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    AttemptId, Claim, Evidence, Fault, Found, LogTail, Object, Outcome, Programs, ReadLimits,
    Seconds, Start, Unusable, Usage, Value, Verdict,
    dir::Dir,
    end::{self, AtEnd},
    judge, names,
    value::size_of_members,
};

/// How an attempt ended, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: Seconds,
    /// What it used.
    pub usage: Usage,
    /// The files that its log may name, by which it is known who is to blame.
    pub programs: Programs,
}

/// The version of the JSON forms that sortie prints. Members may be added within a version: whoever reads them
/// passes over those that it does not know. None is taken away or changed without another number.
pub const FORM_VERSION: u32 = 1;

/// What is known of an attempt once it has ended.
///
/// Serialised it is the stable JSON form that the [crate documentation](crate#results-in-json) lists.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Results {
    /// The version of this form, [`FORM_VERSION`].
    pub version: u32,
    /// Whether the candidate is correct: the evaluator said so, and nothing went wrong.
    pub correct: bool,
    /// What `metrics.json` holds; no members if it holds no object or cannot be used. A number that is
    /// not finite is the string `NaN`, `Infinity` or `-Infinity`; integers are of any size.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub metrics: Object,
    /// What `correct.json` holds, as written; `{"correct": false}` if it cannot be used.
    pub correct_json: Value,
    /// The end of the evaluator's standard output.
    pub stdout_log: LogTail,
    /// The end of the evaluator's standard error.
    pub stderr_log: LogTail,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// Whose fault it is, if something went wrong.
    pub fault: Option<Fault>,
    /// What went wrong, in one line.
    pub detail: Option<String>,
    /// How long it took.
    pub seconds: Seconds,
    /// Which attempt it was.
    pub attempt: AttemptId,
    /// What it used.
    pub usage: Usage,
    /// How its evaluator was started: for whoever started it to say, `None` until then and for one that a cluster
    /// started.
    pub start: Option<Start>,
}

impl Claim {
    /// Reads what the attempt left behind, and judges it.
    ///
    /// To be called once nothing of the attempt runs any more. Valid files in the results dir count, be it another directory
    /// than was claimed; logs that are not there any more are put back. A failure with no space left in the results dir is
    /// put down to that, and so to the infrastructure.
    pub fn collect(&self, ended: Ended, limits: ReadLimits) -> Results {
        let tail = |file: &File| {
            LogTail::read(file, limits.log_tail_bytes)
                .unwrap_or_else(|error| LogTail::unreadable(&error.into()))
        };
        let logs = [tail(&self.stdout), tail(&self.stderr)];
        let at_end = AtEnd::of(&self.place, Some(&self.results));
        at_end.put_logs_back([(names::STDOUT, &self.stdout), (names::STDERR, &self.stderr)]);
        Results::of(self.attempt, ended, &at_end, &self.state, limits, logs)
    }

    /// To be called when the evaluator has ended and left processes behind: what counts is what stands there now, and not
    /// what those may make of it until they are ended.
    pub fn keep(&self, limits: ReadLimits) -> io::Result<()> {
        end::keep(&self.place, &self.results, &self.state, limits.max_result_bytes)
    }
}

impl Results {
    /// About how much memory they take, in bytes.
    pub fn size(&self) -> usize {
        let logs = self.stdout_log.bytes.len() + self.stderr_log.bytes.len();
        let detail = self.detail.as_ref().map_or(0, String::len);
        let values = size_of_members(&self.metrics) + self.correct_json.size();
        size_of::<Self>() + logs + detail + values
    }

    /// Of an attempt that never had a results dir, as it could not be claimed or was cancelled before.
    pub fn without_dir(attempt: AttemptId, ended: Ended) -> Self {
        let found = Found { correct: Err(Unusable::Missing), metrics: Err(Unusable::Missing) };
        let logs: [LogTail; 2] = Default::default();
        let evidence = Evidence { stderr: &logs[1], programs: &ended.programs };
        let verdict = judge(&ended.outcome, &found, evidence);
        Self::new(attempt, ended, verdict, found, logs)
    }

    pub(crate) fn new(
        attempt: AttemptId,
        ended: Ended,
        verdict: Verdict,
        found: Found,
        [stdout_log, stderr_log]: [LogTail; 2],
    ) -> Self {
        let Ended { outcome, seconds, usage, programs: _ } = ended;
        let Verdict { correct, fault, detail } = verdict;
        let metrics = match found.metrics {
            Ok(Value::Object(members)) => *members,
            _ => Object::new(),
        };
        let correct_json = found.correct.unwrap_or_else(|_| not_correct());
        Self {
            version: FORM_VERSION,
            correct,
            metrics,
            correct_json,
            stdout_log,
            stderr_log,
            outcome,
            fault,
            detail,
            seconds,
            attempt,
            usage,
            start: None,
        }
    }
}

impl Results {
    /// Reads and judges what an attempt has left.
    pub(crate) fn of(
        attempt: AttemptId,
        ended: Ended,
        at_end: &AtEnd,
        state: &Dir,
        limits: ReadLimits,
        logs: [LogTail; 2],
    ) -> Self {
        let found = at_end.find(state, limits.max_result_bytes);
        let evidence = Evidence { stderr: &logs[1], programs: &ended.programs };
        let mut verdict = judge(&ended.outcome, &found, evidence);
        let dir = at_end.dir().unwrap_or(state);
        if verdict.fault == Some(Fault::Candidate) && dir.is_full() {
            verdict = verdict.without_space(&dir.path);
        }
        Self::new(attempt, ended, verdict, found, logs)
    }
}

impl Dir {
    /// The end of a log, by its name: for when nobody has it open any more.
    pub(crate) fn tail(&self, name: &str, limit: u64) -> LogTail {
        self.try_tail(name, limit).unwrap_or_else(|unusable| LogTail::unreadable(&unusable))
    }

    /// The same, or why it cannot be read.
    pub(crate) fn try_tail(&self, name: &str, limit: u64) -> Result<LogTail, Unusable> {
        let (file, _) = self.open_regular(name)?;
        Ok(LogTail::read(&file, limit)?)
    }
}

fn not_correct() -> Value {
    Value::Object(Box::new(Object::from([("correct".to_owned(), Value::Bool(false))])))
}
