//! The facade.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sortie_config::{JobConfig, JobType};
use sortie_process::Protection;
use sortie_results::{ReadLimits, Record, Results, Submitted, load};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::descriptors;
use crate::event::Events;
use crate::executor::{Cancel, Executor, Setting, without_results};
use crate::here::Here;
use crate::job::Paths;
use crate::local::Local;
use crate::near::Near;
use crate::shared::Shared;
use crate::slurm::Slurm;
use crate::table::Entry;
use crate::{Finished, JobId, Request, SchedulerError, SchedulerOptions, Status};
use sortie_blocking::BlockingPool;

/// How many calls to file systems may hang before all others wait for them.
const THREADS: usize = 256;

/// Runs a user's evaluator on candidates, as the settings say.
///
/// Dropping it kills its jobs; [`JobScheduler::shutdown`] gives them time to end. What is known of a
/// finished job is kept until [`JobScheduler::forget`]; one of [`JobScheduler::run`] is forgotten at
/// once.
pub struct JobScheduler {
    shared: Arc<Shared>,
    job_type: JobType,
    supervisor: sortie_process::Supervisor,
    read_limits: ReadLimits,
    files: Arc<BlockingPool>,
    /// Whether its jobs go on without it.
    left: bool,
}

impl JobScheduler {
    /// A scheduler for jobs with these settings. Has to be made within a tokio runtime with I/O and
    /// time enabled, which its jobs run in. The launcher's environment and working directory are taken as
    /// they are now.
    ///
    /// # Errors
    ///
    /// Settings of another kind of job, or such as cannot work; an option out of range; no runtime.
    /// Whether the evaluator and its interpreter are there is found out job by job, since they may
    /// come and go; [`check`](crate::check()) tells beforehand.
    pub fn new(
        job_type: JobType,
        config: impl Into<JobConfig>,
        options: SchedulerOptions,
    ) -> Result<Self, SchedulerError> {
        let config = config.into();
        if config.job_type() != job_type {
            return Err(SchedulerError::ConfigMismatch { job_type, config: config.job_type() });
        }
        config.validate()?;
        let spec = config.spec();
        if options.max_workers == 0 {
            return Err(SchedulerError::NoWorkers);
        }
        let runtime = Handle::try_current().map_err(|_| SchedulerError::NoRuntime)?;
        let mut here = Here::now()?;
        here.env = options.env.clone().unwrap_or(here.env);
        let cwd = here.cwd.clone();
        let read_limits = spec.limits.read();
        let SchedulerOptions { verbose, max_workers, supervisor, consent, recent_bytes, .. } =
            options;
        // Files of this machine answer at once; the file system of a cluster takes its time.
        let kept = if matches!(job_type, JobType::Local | JobType::LocalDocker) { 1 } else { 4 };
        let (supervisor_here, files) =
            (supervisor.clone(), Arc::new(BlockingPool::new(kept, THREADS)));
        let near = Arc::<Near>::default();
        let setting = Setting {
            supervisor: supervisor_here,
            files: files.clone(),
            near: near.clone(),
            runtime,
            read_limits,
            consent,
            verbose,
        };
        let (executor, most): (Box<dyn Executor>, _) = match job_type {
            JobType::Local | JobType::LocalDocker => {
                let most = descriptors::at_most(max_workers);
                let local = Local::new(spec, here, setting)?;
                let most = most.min(local.at_once());
                (Box::new(local), most)
            }
            JobType::SlurmConda | JobType::SlurmDocker => {
                (Box::new(Slurm::new(spec, here, setting)?), usize::MAX)
            }
        };
        let shared = Shared::new(executor, (files.clone(), near), most, recent_bytes, cwd);
        Ok(Self { shared, job_type, supervisor, read_limits, files, left: false })
    }

    /// Runs the evaluator on a candidate: its results, and the time it took from here to there.
    ///
    /// Dropping the future stops the job.
    ///
    /// # Errors
    ///
    /// Only a job that cannot be accepted; all that can go wrong with one that was is in its
    /// [`Results::outcome`].
    pub async fn run(
        &self,
        candidate: impl AsRef<Path>,
        results_dir: impl AsRef<Path>,
    ) -> Result<(Results, Duration), SchedulerError> {
        let from = Instant::now();
        let (sender, receiver) = oneshot::channel();
        let job = self.add(candidate.as_ref(), results_dir.as_ref(), Some(sender))?;
        let _given_up = GivenUp { shared: &self.shared, job };
        let results = receiver.await.map_err(|_| SchedulerError::UnknownJob(job))?;
        Ok((results, from.elapsed()))
    }

    /// Accepts a job, which runs when its turn comes. Looks the results dir up, and waits a second at most for its file
    /// system to answer.
    pub fn submit(
        &self,
        candidate: impl AsRef<Path>,
        results_dir: impl AsRef<Path>,
    ) -> Result<JobId, SchedulerError> {
        self.add(candidate.as_ref(), results_dir.as_ref(), None)
    }

    /// Accepts many jobs at once, each a [`Request`], or a candidate and its results dir: on a cluster as few job arrays, which costs far
    /// less than one job each. Every one is accepted or refused by itself; the answers are in the order of
    /// the jobs.
    pub fn submit_many<J: Into<Request>>(
        &self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Vec<Result<JobId, SchedulerError>> {
        let answers = self.shared.add_all(jobs.into_iter().map(|job| job.into().into()).collect());
        self.shared.hand_out();
        answers
    }

    fn add(
        &self,
        candidate: &Path,
        results_dir: &Path,
        runner: Option<oneshot::Sender<Results>>,
    ) -> Result<JobId, SchedulerError> {
        let job = self.shared.add(Paths::new(candidate, results_dir), runner)?;
        self.shared.hand_out();
        Ok(job)
    }

    /// Takes up a job again that another launcher has submitted to a cluster: one that was killed, say, or logged out.
    /// The job goes on as though it had been submitted here; if it is over, its results are read.
    ///
    /// The same job must not be in the hands of two launchers at once: both would tell its end, and run it again where
    /// that is worth while.
    ///
    /// # Errors
    ///
    /// A results dir that holds no note of a submission, or one whose attempt has ended and been recorded;
    /// settings of jobs on this machine, which end with their launcher.
    ///
    /// Blocks on the file system of the results dir; [`JobScheduler::attach_to`] does not.
    pub fn attach(&self, results_dir: impl AsRef<Path>) -> Result<JobId, SchedulerError> {
        let results_dir = results_dir.as_ref();
        let note = self.note_of(results_dir)?();
        self.attach_as(results_dir, note?)
    }

    /// The same without blocking.
    pub async fn attach_to(&self, results_dir: impl AsRef<Path>) -> Result<JobId, SchedulerError> {
        let results_dir = results_dir.as_ref();
        let note = self.files.run(results_dir, || (), self.note_of(results_dir)?).await;
        self.attach_as(results_dir, note.unwrap_or(Err(SchedulerError::ShutDown))?)
    }

    fn attach_as(&self, results_dir: &Path, note: Submitted) -> Result<JobId, SchedulerError> {
        self.shared.attach(Paths::new(Path::new(&note.candidate), results_dir), note)
    }

    /// Takes up a job again as [`JobScheduler::attach`] does, where it is known what was asked for: should it need another
    /// attempt, that has its candidate byte for byte, and its further arguments.
    ///
    /// # Errors
    ///
    /// As those of [`JobScheduler::attach`].
    pub fn attach_request(&self, request: Request) -> Result<JobId, SchedulerError> {
        let note = self.note_of(&request.results_dir)?()?;
        self.attach_noted(request, note)
    }

    /// The same without blocking, where the note of its submission was read and no record of its attempt found.
    ///
    /// # Errors
    ///
    /// Settings of jobs on this machine.
    pub fn attach_noted(&self, request: Request, note: Submitted) -> Result<JobId, SchedulerError> {
        self.can_attach()?;
        self.shared.attach(request.into(), note)
    }

    fn can_attach(&self) -> Result<(), SchedulerError> {
        match self.job_type {
            JobType::Local | JobType::LocalDocker => {
                Err(SchedulerError::NotAttachable(self.job_type))
            }
            JobType::SlurmConda | JobType::SlurmDocker => Ok(()),
        }
    }

    /// Reads the note of an attempt that has not ended.
    fn note_of(
        &self,
        given: &Path,
    ) -> Result<impl FnOnce() -> Result<Submitted, SchedulerError> + use<>, SchedulerError> {
        self.can_attach()?;
        let (dir, results_dir) = (self.shared.absolute(given), given.to_owned());
        Ok(move || {
            let note = Submitted::read(&dir)?;
            match Record::read(&dir) {
                Ok(record) if record.attempt == note.attempt => {
                    Err(SchedulerError::Ended { results_dir })
                }
                _ => Ok(note),
            }
        })
    }

    /// Where the job is.
    pub fn status(&self, job: JobId) -> Result<Status, SchedulerError> {
        self.shared.table().get(job).map(Status::of).ok_or(SchedulerError::UnknownJob(job))
    }

    /// Where each of the jobs is, in their order, all at one moment; `None` for one that is not known.
    pub fn status_many(&self, jobs: &[JobId]) -> Vec<Option<Status>> {
        let table = self.shared.table();
        jobs.iter().map(|job| table.get(*job).map(Status::of)).collect()
    }

    /// Waits until the job is over. May be dropped and called again, and answers the same each time.
    pub async fn wait(&self, job: JobId) -> Result<Arc<Finished>, SchedulerError> {
        let receiver = {
            let mut table = self.shared.table();
            match table.get(job) {
                None => return Err(SchedulerError::UnknownJob(job)),
                Some(Entry::Finished(finished)) => return Ok(finished.clone()),
                Some(Entry::Live(_)) => table.wait(job),
            }
        };
        let receiver = receiver.ok_or(SchedulerError::UnknownJob(job))?;
        receiver.await.map_err(|_| SchedulerError::UnknownJob(job))
    }

    /// The results of a job that is over, read from its results dir: blocks on the file system, which
    /// [`JobScheduler::collect`] does not.
    ///
    /// # Errors
    ///
    /// A job that is not over, or whose results dir holds another attempt by now.
    pub fn results(&self, job: JobId) -> Result<Results, SchedulerError> {
        let finished = self.finished(job)?;
        Ok(if finished.recorded { self.read(&finished)()? } else { unrecorded(&finished) })
    }

    /// The same without blocking.
    ///
    /// # Errors
    ///
    /// As those of [`JobScheduler::results`].
    pub async fn collect(&self, job: JobId) -> Result<Results, SchedulerError> {
        let finished = self.finished(job)?;
        if !finished.recorded {
            return Ok(unrecorded(&finished));
        }
        let read = self.files.run(&finished.results_dir, || (), self.read(&finished)).await;
        read.unwrap_or_else(|| Ok(unrecorded(&finished)))
    }

    fn finished(&self, job: JobId) -> Result<Arc<Finished>, SchedulerError> {
        match self.status(job)? {
            Status::Finished(finished) => Ok(finished),
            Status::Queued { .. } | Status::Running { .. } => Err(SchedulerError::NotFinished(job)),
        }
    }

    fn read(
        &self,
        finished: &Finished,
    ) -> impl FnOnce() -> Result<Results, SchedulerError> + use<> {
        let dir = self.shared.absolute(&finished.results_dir);
        let (attempt, limits) = (finished.attempt, self.read_limits);
        move || Ok(load(&dir, Some(attempt), limits)?.1)
    }

    /// Stops jobs: a queued one is over at once, a running one gets SIGTERM and, after its grace
    /// period, SIGKILL. Those that are over stay as they are. [`JobScheduler::wait`] tells when one is
    /// over.
    pub fn cancel(&self, jobs: &[JobId]) {
        self.shared.cancel(jobs, Cancel::Gently);
    }

    /// Stops jobs as [`JobScheduler::cancel`] does, without a grace period.
    pub fn kill(&self, jobs: &[JobId]) {
        self.shared.cancel(jobs, Cancel::AtOnce);
    }

    /// Forgets a job that is over; whether it was. Its results dir stays.
    pub fn forget(&self, job: JobId) -> bool {
        self.shared.table().forget(job)
    }

    /// Forgets a job that is over, and gives its record and results if they are still in memory, as
    /// [`SchedulerOptions::recent_bytes`] grants: what [`load`] would read from its results dir.
    pub fn take(&self, job: JobId) -> Option<Box<(Record, Results)>> {
        let mut table = self.shared.table();
        let left = table.recent.take(job);
        table.forget(job);
        left
    }

    /// What happens from now on.
    pub fn events(&self) -> Events {
        Events(self.shared.events().subscribe())
    }

    /// What keeps processes from outliving their job on this machine.
    ///
    /// # Errors
    ///
    /// The helper process that would keep them does not start.
    pub async fn protections(&self) -> Result<Vec<Protection>, SchedulerError> {
        Ok(self.supervisor.protections().await?)
    }

    /// Leaves the jobs to the cluster that has them, for another launcher to [attach](JobScheduler::attach) to: they go on
    /// when this process ends. Jobs of this machine are killed.
    pub fn leave(mut self) {
        self.left = self.shared.leave();
    }

    /// Accepts no more jobs, cancels those there are, and returns when nothing of them runs any more.
    pub async fn shutdown(self) {
        self.shared.close(Cancel::Gently);
        self.shared.idle().await;
    }
}

impl Drop for JobScheduler {
    fn drop(&mut self) {
        if !self.left {
            self.shared.close(Cancel::AtOnce);
        }
    }
}

impl fmt::Debug for JobScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobScheduler").finish_non_exhaustive()
    }
}

/// The results of a job that left no record.
fn unrecorded(finished: &Finished) -> Results {
    let queued = Duration::from_secs_f64(finished.seconds.queued);
    without_results(finished.attempt, finished.outcome.clone(), queued)
}

/// Ends a job when nobody waits for it any more.
struct GivenUp<'a> {
    shared: &'a Shared,
    job: JobId,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.shared.cancel(&[self.job], Cancel::Gently);
    }
}
