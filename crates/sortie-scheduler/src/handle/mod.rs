//! A job by its results dir, for whoever comes by: from another process, or after its launcher was killed.

mod error;
mod launcher;
mod lease;
mod logs;
mod notes;
mod process;
mod stop;
mod view;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_results::{Consent, JobState, Log, Results};

pub use error::HandleError;
pub use lease::JobLease;
pub use logs::LogReader;
pub use process::{holder, pause};
pub use view::JobView;

use stop::Stop;

/// A job by its results dir, whatever program runs it: `sortie submit`, another process that uses this crate, Slurm.
///
/// Nothing is held open and nothing is started: each call looks at what is on disk. Calls block, on the file system and for as
/// long as they say; in an async program, make them with `spawn_blocking`.
///
/// ```
/// use sortie_config::{JobType, LocalJobConfig};
/// use sortie_scheduler::{HandleError, JobHandle, JobScheduler, JobState, SchedulerOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let path = |name: &str| dir.path().join(name);
/// # std::fs::write(path("candidate.txt"), "hello")?;
/// # std::fs::write(path("evaluate.sh"), "echo '{}' > $4/metrics.json; echo '{\"correct\": true}' > $4/correct.json")?;
/// # let config = LocalJobConfig {
/// #     eval_program_path: path("evaluate.sh"),
/// #     python_executable: Some("sh".into()),
/// #     ..LocalJobConfig::default()
/// # };
/// assert!(matches!(JobHandle::open(path("candidate.txt")), Err(HandleError::Record(_))));
/// # let scheduler = JobScheduler::new(JobType::Local, config, SchedulerOptions::default())?;
/// scheduler.run(path("candidate.txt"), path("results")).await?; // or any other program
///
/// let job = JobHandle::open(path("results"))?;
/// assert_eq!(job.status()?.state(), JobState::Finished);
/// assert!(job.wait()?.record().is_some_and(|record| record.correct));
/// assert!(job.results()?.correct);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobHandle {
    dir: PathBuf,
}

impl JobHandle {
    /// The job that was given this results dir.
    ///
    /// # Errors
    ///
    /// The directory is not there, cannot be read, or was never given to a job.
    pub fn open(results_dir: impl Into<PathBuf>) -> Result<Self, HandleError> {
        let job = Self { dir: results_dir.into() };
        job.status()?;
        Ok(job)
    }

    /// Its results dir, as given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where it is at this moment.
    ///
    /// # Errors
    ///
    /// As those of [`JobHandle::open`].
    pub fn status(&self) -> Result<JobView, HandleError> {
        JobView::of(&self.dir)
    }

    /// Waits until it is finished or lost.
    ///
    /// # Errors
    ///
    /// [`HandleError::Orphaned`]: nobody sees to it, so that its end would not be noted. Or as those of [`JobHandle::open`].
    pub fn wait(&self) -> Result<JobView, HandleError> {
        self.wait_with(|_| {})
    }

    /// Waits as [`JobHandle::wait`] does, and shows what it sees each time it looks. One that is [`JobState::Unknown`] is waited
    /// for, too.
    ///
    /// # Errors
    ///
    /// As those of [`JobHandle::wait`].
    pub fn wait_with(&self, mut show: impl FnMut(&JobView)) -> Result<JobView, HandleError> {
        loop {
            let view = self.status()?;
            match view.state() {
                JobState::Finished | JobState::Lost => return Ok(view),
                JobState::Orphaned => {
                    return Err(HandleError::Orphaned { dir: self.dir.clone() });
                }
                JobState::Queued | JobState::Running | JobState::Stopping | JobState::Unknown => {}
            }
            show(&view);
            view.pause(Duration::MAX);
        }
    }

    /// Asks whoever sees to it to end it as Ctrl-C does: its processes get SIGTERM and, after their grace period, SIGKILL. Returns
    /// when it was asked; [`JobHandle::wait`] tells when the job is over. One that is over stays as it is.
    ///
    /// With consent, a job that is [`JobState::Unknown`] is taken from its launcher, and is lost.
    ///
    /// # Errors
    ///
    /// [`HandleError::Orphaned`]: Slurm has it and nobody sees to it. [`JobScheduler::attach`](crate::JobScheduler::attach)
    /// takes it up, and then it can be cancelled there. The others say who has it and why that process is not asked.
    pub fn cancel(&self, consent: Consent) -> Result<(), HandleError> {
        stop::stop(self, Stop::Gently, consent)
    }

    /// Has it ended as [`JobHandle::cancel`] does, without a grace period.
    ///
    /// # Errors
    ///
    /// As those of [`JobHandle::cancel`].
    pub fn kill(&self, consent: Consent) -> Result<(), HandleError> {
        stop::stop(self, Stop::AtOnce, consent)
    }

    /// Reads one of its logs as it grows, from its last `lines` on, or from its start.
    pub fn logs(&self, log: Log, lines: Option<usize>) -> LogReader {
        LogReader::new(&self.dir, log, lines)
    }

    /// What came of it, as much of it as the settings of the job allow to be read.
    ///
    /// # Errors
    ///
    /// [`HandleError::NotOver`] and [`HandleError::NoRecord`]: it has no results yet, or never will have. Or they cannot be read.
    pub fn results(&self) -> Result<Results, HandleError> {
        self.status()?.results()
    }
}
