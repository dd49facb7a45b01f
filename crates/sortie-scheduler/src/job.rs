//! A job, as its submitter sees it.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sortie_config::{EvaluatorKind, JobSpec};
use sortie_model::WORKSPACE;
use sortie_results::{AttemptId, Fault, Outcome, Programs, Results, Seconds, Start};

use crate::Request;
use crate::evaluator::asks_env_for;
use crate::table::Entry;

/// A job of one scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub(crate) u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}", self.0)
    }
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It waits for its turn.
    Queued {
        /// Why, where the cluster tells: a word such as `Priority` or `PartitionTimeLimit`, squeue(1).
        reason: Option<Arc<str>>,
    },
    /// Its attempt is under way.
    Running {
        /// For how long it has been.
        since: Duration,
    },
    /// It is over.
    Finished(Arc<Finished>),
}

impl Status {
    pub(crate) fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Finished(finished) => Self::Finished(finished.clone()),
            Entry::Live(live) => match live.started {
                Some(started) => Self::Running { since: started.elapsed() },
                None => Self::Queued { reason: live.reason.clone() },
            },
        }
    }
}

/// What is kept of a job that is over. Its logs and metrics are in its results dir.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The attempt that the rest is about.
    pub attempt: AttemptId,
    /// Its results dir, as given.
    pub results_dir: Arc<Path>,
    /// Whether the candidate is correct.
    pub correct: bool,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// Whose fault it is, if something went wrong.
    pub fault: Option<Fault>,
    /// How long it took.
    pub seconds: Seconds,
    /// Whether its evaluator was started cold or warm; `None` if it was not started, or not from here but by a cluster.
    pub start: Option<Start>,
    /// Whether the results dir holds the attempt's record.
    pub(crate) recorded: bool,
}

impl Finished {
    pub(crate) fn new(results: &Results, results_dir: Arc<Path>, recorded: bool) -> Self {
        Self {
            attempt: results.attempt,
            results_dir,
            correct: results.correct,
            outcome: results.outcome.clone(),
            fault: results.fault,
            seconds: results.seconds,
            start: results.start.clone(),
            recorded,
        }
    }
}

/// The paths of a job, as the user gave them, and what its evaluator is told beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    pub(crate) candidate: Arc<Path>,
    pub(crate) results_dir: Arc<Path>,
    extra_args: Arc<[(String, String)]>,
}

impl Paths {
    pub(crate) fn new(candidate: &Path, results_dir: &Path) -> Self {
        let extra_args = Arc::default();
        Self { candidate: candidate.into(), results_dir: results_dir.into(), extra_args }
    }

    /// The files that the evaluator's log may name, where an attempt has ended so.
    pub(crate) fn programs(&self, spec: &JobSpec, cwd: &Path, outcome: &Outcome) -> Programs {
        // As `env` ends that cannot run a program: else there is no need to read anything.
        let of_env = matches!(outcome, Outcome::Exited { code: 126 | 127 });
        Programs {
            directory: cwd.to_owned(),
            evaluator: spec.evaluator.clone(),
            candidate: self.candidate.to_path_buf(),
            results_dir: self.results_dir.to_path_buf(),
            inside: spec.container().map(|_| WORKSPACE.into()),
            asks_env_for: of_env.then(|| asks_env_for(spec, cwd)).flatten(),
        }
    }

    /// The evaluator's command line on a node or in a container.
    pub(crate) fn command(&self, spec: &JobSpec) -> Vec<OsString> {
        let args = self.evaluator_args(spec);
        match spec.evaluator_kind {
            EvaluatorKind::Python => [vec![spec.python().into()], args].concat(),
            EvaluatorKind::Executable => args,
        }
    }

    /// What follows the interpreter on the evaluator's command line, or is the command line.
    pub(crate) fn evaluator_args(&self, spec: &JobSpec) -> Vec<OsString> {
        spec.evaluator_args_with(&self.candidate, &self.results_dir, &self.extra_args)
    }
}

impl From<Request> for Paths {
    fn from(request: Request) -> Self {
        let Request { candidate, results_dir, extra_args } = request;
        let paths = Self::new(&candidate, &results_dir);
        Self { extra_args: extra_args.into(), ..paths }
    }
}
