//! What commands print with `--json`: one object on a line, each with the version of its form.
//!
//! A member that says nothing of a job is `null`, never left out. Paths are text; what is not UTF-8 in them is
//! U+FFFD, as in `job.json`. Times are in UTC (RFC 3339).

use schemars::JsonSchema;
use serde::Serialize;
use sortie_results::jiff::Timestamp;
use sortie_results::{AttemptId, Fault, JobState, Outcome, Owner, Seconds};
use sortie_sweep::{Best, Counts, Evaluator};

/// The version of all forms here.
pub(crate) const VERSION: u32 = sortie_results::FORM_VERSION;

/// A job: of `submit`, `status`, `wait`, `cancel` and `ls`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct JobStatus {
    pub(crate) version: u32,
    /// `job`.
    #[schemars(extend("const" = "job"))]
    pub(crate) kind: &'static str,
    /// The results dir, as it was named.
    pub(crate) dir: String,
    pub(crate) state: JobState,
    /// Why it waits, if that is known.
    pub(crate) reason: Option<String>,
    /// Since when it has been in that state, if that is known.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(crate) since: Option<Timestamp>,
    pub(crate) candidate: Option<String>,
    /// The last attempt that was noted.
    pub(crate) attempt: Option<AttemptId>,
    /// The rest up to `seconds` is of a finished job.
    pub(crate) correct: Option<bool>,
    /// The `combined_score` of its metrics, where it is a finite number.
    pub(crate) score: Option<f64>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) fault: Option<Fault>,
    pub(crate) detail: Option<String>,
    pub(crate) seconds: Option<Seconds>,
    /// The process that sees to it.
    pub(crate) keeper: Option<OwnerForm>,
    /// What it is for Slurm.
    pub(crate) slurm: Option<SlurmForm>,
    /// What to do about it, where there is something to do.
    pub(crate) advice: Option<String>,
}

/// Where a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SweepState {
    /// A launcher sees to it.
    Running,
    /// All its candidates are done.
    Finished,
    /// They are not, and nobody sees to it: `sortie sweep --resume` goes on with it.
    Stopped,
    /// It cannot be told from here whether the launcher that saw to it is still there.
    Unknown,
}

/// A sweep: of `submit`, `status`, `wait`, `cancel` and `ls`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SweepStatus {
    pub(crate) version: u32,
    /// `sweep`.
    #[schemars(extend("const" = "sweep"))]
    pub(crate) kind: &'static str,
    /// Its directory, as it was named.
    pub(crate) dir: String,
    pub(crate) state: SweepState,
    /// How many candidates there are …
    pub(crate) candidates: usize,
    /// … how many of them wait for their turn …
    pub(crate) waiting: usize,
    /// … how many were handed over to be run, and are not done …
    pub(crate) started: usize,
    /// … and how many are done, by what came of them.
    pub(crate) done: Counts,
    /// The best so far.
    pub(crate) best: Option<Best>,
    /// The evaluators that made the results, as more than one where it was changed in the middle.
    pub(crate) evaluators: Vec<Evaluator>,
    /// The process that sees to it.
    pub(crate) keeper: Option<OwnerForm>,
    /// What to do about it, where there is something to do.
    pub(crate) advice: Option<String>,
}

/// A process that sees to a job or sweep.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeeperForm")]
pub(crate) struct OwnerForm {
    /// Its machine.
    pub(crate) host: Option<String>,
    /// Its number there.
    pub(crate) pid: Option<u32>,
    /// The subcommand of `sortie` that it runs.
    pub(crate) command: Option<String>,
}

impl OwnerForm {
    pub(crate) fn of(owner: &Owner) -> Self {
        let (host, pid) = (Some(owner.host.clone()), Some(owner.pid));
        Self { host, pid, command: owner.command.clone() }
    }
}

/// A job of Slurm.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SlurmForm {
    /// Its name, which no other has.
    pub(crate) job_name: String,
    /// Its id, once it has run: `123`, or `123_4` for an element of an array.
    pub(crate) job_id: Option<String>,
    /// Which element of its array it is.
    pub(crate) element: Option<u32>,
}

/// A line of a job's logs: of `logs`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogLine {
    pub(crate) version: u32,
    /// `stdout` or `stderr`.
    #[schemars(extend("enum" = ["stdout", "stderr"]))]
    pub(crate) stream: &'static str,
    /// The line without its end; what is not UTF-8 in it is U+FFFD.
    pub(crate) line: String,
}
