//! The seam between the scheduler and what runs its jobs.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sortie_process::Supervisor;
use sortie_results::{
    AttemptId, Consent, Ended, Outcome, Programs, ReadLimits, Record, Results, Seconds, Submitted,
    Usage,
};
use tokio::runtime::Handle;

use crate::JobId;
use crate::job::Paths;
use crate::near::Near;
use crate::shared::Shared;
use sortie_blocking::BlockingPool;

/// Runs jobs: on this machine, or through Slurm.
///
/// There is no question about status here: an executor tells, by each job's [`Reporter`], as soon as
/// it knows. Jobs come and are cancelled in batches, so that one call can be made for all of them.
/// No method waits for anything.
pub(crate) trait Executor: Send + Sync {
    /// Takes jobs, in their order, and sees to them from then on.
    fn submit(&self, jobs: Vec<Job>);

    /// Takes up a job again that another launcher has handed to a cluster. An executor that knows no cluster drops
    /// it, and so reports it as lost.
    fn attach(&self, job: Job, _note: Submitted) {
        drop(job);
    }

    /// Leaves the jobs to the cluster that has them when the launcher ends; whether it does, as it cannot be done with
    /// those of this machine.
    fn leave(&self) -> bool {
        false
    }

    /// Has jobs stopped that were taken and are not over; unknown ones are ignored. Only asks: their
    /// reporters tell the rest.
    fn cancel(&self, jobs: &[JobId], how: Cancel);
}

/// What an executor works with, beside the settings of its jobs.
pub(crate) struct Setting {
    pub(crate) supervisor: Supervisor,
    /// Makes calls to the file system of jobs.
    pub(crate) files: Arc<BlockingPool>,
    /// Where no such call is needed.
    pub(crate) near: Arc<Near>,
    pub(crate) runtime: Handle,
    pub(crate) read_limits: ReadLimits,
    /// Whether results dirs are taken from owners of whom is not known whether they are there.
    pub(crate) consent: Consent,
    /// Whether each job's start and end are traced as information.
    pub(crate) verbose: bool,
}

/// How a job is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cancel {
    /// With the time to tidy up that its settings grant.
    Gently,
    /// At once.
    AtOnce,
}

/// A job to run, and whom to tell about it.
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) attempt: AttemptId,
    pub(crate) paths: Paths,
    pub(crate) submitted: Instant,
    pub(crate) reporter: Reporter,
}

impl Job {
    /// What people call it: the name of its results dir.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        let dir = &self.paths.results_dir;
        dir.file_name().unwrap_or(dir.as_os_str()).to_string_lossy()
    }
}

/// Tells the scheduler how a job fares. Dropped before the end was told, it reports the job as lost.
pub(crate) struct Reporter {
    shared: Option<Arc<Shared>>,
    id: JobId,
    attempt: AttemptId,
    submitted: Instant,
    /// Whether it has given its place among those that run away.
    aside: AtomicBool,
}

impl Reporter {
    pub(crate) fn new(
        shared: Arc<Shared>,
        id: JobId,
        attempt: AttemptId,
        submitted: Instant,
    ) -> Self {
        Self { shared: Some(shared), id, attempt, submitted, aside: AtomicBool::new(false) }
    }

    /// The attempt is under way.
    pub(crate) fn started(&self) {
        if let Some(shared) = &self.shared {
            shared.started(self.id);
        }
    }

    /// A file system does not answer, and the job needs no place among those that run until it does.
    pub(crate) fn hangs(&self) {
        self.aside.store(true, Ordering::Relaxed);
        if let Some(shared) = &self.shared {
            shared.set_aside(self.id);
        }
    }

    /// Waits until the job has its place again, if it has given that away.
    pub(crate) async fn goes_on(&self) {
        if let Some(shared) = &self.shared
            && self.aside.swap(false, Ordering::Relaxed)
        {
            shared.take_back(self.id).await;
        }
    }

    /// The job waits where the executor has put it, for this reason.
    pub(crate) fn pending(&self, reason: Arc<str>) {
        if let Some(shared) = &self.shared {
            shared.pending(self.id, reason);
        }
    }

    /// The attempt is over, and nothing of it runs any more. Its record, if the results dir holds one.
    pub(crate) fn ended(mut self, results: Results, record: Option<Record>) {
        self.tell(results, record);
    }

    fn tell(&mut self, results: Results, record: Option<Record>) {
        if let Some(shared) = self.shared.take() {
            shared.finish(self.id, results, record);
            shared.hand_out();
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if self.shared.is_some() {
            let outcome = Outcome::Lost { reason: "the launcher stopped caring for it".into() };
            let results = without_results(self.attempt, outcome, self.submitted.elapsed());
            self.tell(results, None);
        }
    }
}

/// The results of an attempt that has spent all its time waiting.
pub(crate) fn without_results(attempt: AttemptId, outcome: Outcome, queued: Duration) -> Results {
    let queued = queued.as_secs_f64();
    let seconds = Seconds { queued, running: 0.0, total: queued };
    let (usage, programs) = (Usage::default(), Programs::default());
    Results::without_dir(attempt, Ended { outcome, seconds, usage, programs })
}

/// Finds the one true name of directories as far as they exist, so that two names of one are noticed.
#[derive(Default)]
pub(crate) struct TrueNames {
    /// The parent of the last one, as given and as it is, which is often that of the next.
    parent: Option<(PathBuf, PathBuf)>,
}

impl TrueNames {
    pub(crate) fn of(&mut self, dir: &Path) -> Box<Path> {
        // Mostly it is not there yet, but its parent is.
        match self.in_parent(dir) {
            Some(path) if path.is_symlink() => path.canonicalize().unwrap_or(path),
            Some(path) => path,
            None => dir.canonicalize().unwrap_or_else(|_| dir.components().collect()),
        }
        .into()
    }

    fn in_parent(&mut self, dir: &Path) -> Option<PathBuf> {
        let (parent, name) = (dir.parent()?, dir.file_name()?);
        if self.parent.as_ref().is_none_or(|(given, _)| given != parent) {
            self.parent = Some((parent.to_owned(), parent.canonicalize().ok()?));
        }
        Some(self.parent.as_ref()?.1.join(name))
    }
}
