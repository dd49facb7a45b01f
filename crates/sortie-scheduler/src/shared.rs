//! What the scheduler's handles and its jobs' reporters share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sortie_results::{AttemptId, Outcome, Record, Results, Submitted};
use tokio::sync::{Notify, broadcast, oneshot};

use crate::event::{self, Event};
use crate::executor::{Cancel, Executor, Job, Reporter, TrueNames, without_results};
use crate::job::Paths;
use crate::near::Near;
use crate::table::{Live, Table};
use crate::{Finished, JobId, SchedulerError};
use sortie_blocking::BlockingPool;

/// For so long a file system may not answer what a results dir's true name is.
const NAMES: Duration = Duration::from_secs(1);

pub(crate) struct Shared {
    table: Mutex<Table>,
    executor: Box<dyn Executor>,
    files: Arc<BlockingPool>,
    near: Arc<Near>,
    max_workers: usize,
    /// What relative paths are relative to.
    cwd: PathBuf,
    closed: AtomicBool,
    events: broadcast::Sender<Event>,
    /// Told whenever a job is over.
    progress: Notify,
}

impl Shared {
    pub(crate) fn new(
        executor: Box<dyn Executor>,
        (files, near): (Arc<BlockingPool>, Arc<Near>),
        max_workers: usize,
        recent_bytes: usize,
        cwd: PathBuf,
    ) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::new(Table::new(recent_bytes)),
            executor,
            files,
            near,
            max_workers,
            cwd,
            closed: AtomicBool::new(false),
            events: broadcast::Sender::new(event::CAPACITY),
            progress: Notify::new(),
        })
    }

    /// The table is whole even where a thread has panicked: no step of it is done by halves.
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path as the jobs see it.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }

    pub(crate) fn events(&self) -> &broadcast::Sender<Event> {
        &self.events
    }

    /// Queues a job.
    pub(crate) fn add(
        &self,
        paths: Paths,
        runner: Option<oneshot::Sender<Results>>,
    ) -> Result<JobId, SchedulerError> {
        let key = self.true_names([&paths]).remove(0);
        self.add_to(&mut self.table(), paths, key, runner)
    }

    /// The results dirs of jobs by their true names. Where a file system does not answer for a moment, by those that were
    /// given: should two be one directory, its lease keeps the jobs from each other.
    fn true_names<'a>(&self, of: impl IntoIterator<Item = &'a Paths>) -> Vec<Box<Path>> {
        let dirs: Vec<_> = of.into_iter().map(|paths| self.absolute(&paths.results_dir)).collect();
        if let Some(names) = dirs.iter().map(|dir| Some(self.near.true_name(dir)?.into())).collect()
        {
            return names;
        }
        let found = Arc::new(Mutex::new(Vec::with_capacity(dirs.len())));
        let (asked, answers) = (dirs.clone(), found.clone());
        let answered = self.files.run_within(NAMES, move || {
            let mut names = TrueNames::default();
            for dir in asked {
                let name = names.of(&dir);
                answers.lock().unwrap_or_else(PoisonError::into_inner).push(name);
            }
        });
        let mut names = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        if answered.is_none() {
            let dir = dirs[names.len()].display();
            tracing::warn!(
                "{dir}: the file system does not answer: taken by the name it was given"
            );
        }
        names.extend(
            dirs[names.len()..].iter().map(|dir| dir.components().collect::<PathBuf>().into()),
        );
        names
    }

    /// Queues jobs: each is accepted or refused by itself.
    pub(crate) fn add_all(&self, all: Vec<Paths>) -> Vec<Result<JobId, SchedulerError>> {
        let names = self.true_names(&all);
        let add = |(paths, key)| self.add_to(&mut self.table(), paths, key, None);
        all.into_iter().zip(names).map(add).collect()
    }

    fn add_to(
        &self,
        table: &mut Table,
        paths: Paths,
        key: Box<Path>,
        runner: Option<oneshot::Sender<Results>>,
    ) -> Result<JobId, SchedulerError> {
        let results_dir = paths.results_dir.clone();
        if self.closed.load(Ordering::Acquire) {
            return Err(SchedulerError::ShutDown);
        }
        let job = table.add(paths, key, Instant::now(), runner).map_err(|job| {
            SchedulerError::ResultsDirInUse { results_dir: results_dir.to_path_buf(), job }
        })?;
        // Under the lock, so that events come in order.
        self.tell(|| Event::Submitted { job, results_dir });
        Ok(job)
    }

    /// Has the executor take up a job again that another launcher has submitted.
    pub(crate) fn attach(
        self: &Arc<Self>,
        paths: Paths,
        note: Submitted,
    ) -> Result<JobId, SchedulerError> {
        let key = self.true_names([&paths]).remove(0);
        let (id, job) = {
            // It is never in the queue: no one else takes it, to submit it again, and no cancellation mistakes it for
            // one that the cluster does not have.
            let mut table = self.table();
            let id = self.add_to(&mut table, paths, key, None)?;
            (id, table.take_this(id).map(|(id, live)| self.job(id, live, note.attempt)))
        };
        if let Some(mut job) = job {
            let age = note.time().elapsed().unwrap_or_default();
            job.submitted = job.submitted.checked_sub(age).unwrap_or(job.submitted);
            self.executor.attach(job, note);
            self.cancel_again(&[id]);
        }
        Ok(id)
    }

    fn job(self: &Arc<Self>, id: JobId, live: &Live, attempt: AttemptId) -> Job {
        let (paths, submitted) = (live.paths.clone(), live.submitted);
        let reporter = Reporter::new(self.clone(), id, attempt, submitted);
        Job { id, attempt, paths, submitted, reporter }
    }

    /// Gives the executor as many queued jobs as may run.
    pub(crate) fn hand_out(self: &Arc<Self>) {
        let jobs = self.take();
        if jobs.is_empty() {
            return;
        }
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        self.executor.submit(jobs);
        self.cancel_again(&ids);
    }

    /// Has those of the jobs stopped that were cancelled before the executor knew them.
    fn cancel_again(&self, jobs: &[JobId]) {
        for id in jobs {
            let cancelled = self.table().cancelled(*id);
            if let Some(how) = cancelled {
                self.executor.cancel(&[*id], how);
            }
        }
    }

    fn take(self: &Arc<Self>) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut table = self.table();
        if self.closed.load(Ordering::Acquire) {
            return jobs;
        }
        while let Some((id, live)) = table.take(self.max_workers) {
            jobs.push(self.job(id, live, AttemptId::generate()));
        }
        jobs
    }

    /// Gives the place of a job among those that run to another, until it is [taken back](Self::take_back).
    pub(crate) fn set_aside(self: &Arc<Self>, job: JobId) {
        let had_one = self.table().set_aside(job);
        if had_one {
            self.progress.notify_waiters();
            self.hand_out();
        }
    }

    /// Waits until a job that was set aside has a place again.
    pub(crate) async fn take_back(&self, job: JobId) {
        let _expected = Expected::new(self);
        loop {
            let progress = self.progress.notified();
            {
                let mut table = self.table();
                if !table.is_aside(job) || table.take_back(job, self.max_workers) {
                    return;
                }
            }
            progress.await;
        }
    }

    pub(crate) fn started(&self, job: JobId) {
        let mut table = self.table();
        table.start(job, Instant::now());
        self.tell(|| Event::Started { job });
    }

    pub(crate) fn pending(&self, job: JobId, reason: Arc<str>) {
        let mut table = self.table();
        table.pend(job, reason.clone());
        self.tell(|| Event::Pending { job, reason });
    }

    /// A job is over. The first word counts.
    pub(crate) fn finish(&self, job: JobId, results: Results, record: Option<Record>) {
        self.settle(self.table(), job, results, record);
    }

    fn settle(
        &self,
        mut table: MutexGuard<'_, Table>,
        job: JobId,
        results: Results,
        record: Option<Record>,
    ) {
        let Some(results_dir) = table.results_dir(job) else { return };
        let finished = Arc::new(Finished::new(&results, results_dir, record.is_some()));
        let Some(live) = table.finish(job, finished.clone()) else { return };
        self.tell(|| Event::Finished { job, finished: finished.clone() });
        let results = match (live.runner.is_some(), record) {
            (false, Some(record)) => {
                let bytes = record.size() + results.size();
                table.recent.keep(job, bytes, Box::new((record, results)));
                None
            }
            _ => Some(results),
        };
        drop(table);
        // Whoever has given up waiting misses nothing.
        for waiter in live.waiters {
            let _ = waiter.send(finished.clone());
        }
        if let Some((runner, results)) = live.runner.zip(results) {
            let _ = runner.send(results);
        }
        self.progress.notify_waiters();
    }

    /// Ends queued jobs at once, has those stopped that are with the executor, leaves those that are
    /// over.
    pub(crate) fn cancel(&self, jobs: &[JobId], how: Cancel) {
        let is_taken = |job: &JobId| !self.cancel_queued(*job) && self.table().cancel(*job, how);
        let taken: Vec<_> = jobs.iter().copied().filter(is_taken).collect();
        if !taken.is_empty() {
            self.executor.cancel(&taken, how);
        }
    }

    /// Ends a job if it is queued; whether it was.
    fn cancel_queued(&self, job: JobId) -> bool {
        let table = self.table();
        let Some(submitted) = table.queued_since(job) else { return false };
        let queued = submitted.elapsed();
        let results = without_results(AttemptId::generate(), Outcome::Cancelled, queued);
        self.settle(table, job, results, None);
        true
    }

    /// Accepts no more jobs, and leaves those to the cluster that it has; whether it has any.
    pub(crate) fn leave(&self) -> bool {
        let left = self.executor.leave();
        if left {
            self.closed.store(true, Ordering::Release);
        }
        left
    }

    /// Accepts no more jobs and ends all there are.
    pub(crate) fn close(&self, how: Cancel) {
        let live = {
            let table = self.table();
            self.closed.store(true, Ordering::Release);
            table.live()
        };
        self.cancel(&live, how);
    }

    /// Waits until the executor has no job any more.
    pub(crate) async fn idle(&self) {
        loop {
            let progress = self.progress.notified();
            if self.table().taken() == 0 {
                return;
            }
            progress.await;
        }
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        if self.events.receiver_count() > 0 {
            let _ = self.events.send(event());
        }
    }
}

/// A job that waits for a place.
struct Expected<'a>(&'a Shared);

impl<'a> Expected<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.table().expect_back(true);
        Self(shared)
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.0.table().expect_back(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_results::jiff::Timestamp;
    use std::sync::Weak;

    /// Keeps a job that it attaches to until it is cancelled; before it knows the job, somebody cancels that.
    #[derive(Default)]
    struct Slow {
        shared: Mutex<Weak<Shared>>,
        job: Mutex<Option<Job>>,
    }

    impl Executor for Arc<Slow> {
        fn submit(&self, _jobs: Vec<Job>) {}

        fn attach(&self, job: Job, _note: Submitted) {
            let shared = self.shared.lock().unwrap().upgrade().unwrap();
            shared.cancel(&[job.id], Cancel::Gently);
            *self.job.lock().unwrap() = Some(job);
        }

        fn cancel(&self, _jobs: &[JobId], _how: Cancel) {
            let job = self.job.lock().unwrap().take();
            if let Some(Job { reporter, attempt, .. }) = job {
                reporter.ended(without_results(attempt, Outcome::Cancelled, Duration::ZERO), None);
            }
        }
    }

    fn files() -> (Arc<BlockingPool>, Arc<Near>) {
        (Arc::new(BlockingPool::new(1, 1)), Arc::default())
    }

    fn note() -> Submitted {
        Submitted {
            attempt: AttemptId::generate(),
            candidate: "candidate".into(),
            job_name: "job".into(),
            element: None,
            script: "script".into(),
            submitted_at: Timestamp::now(),
            evaluator_sha256: None,
        }
    }

    #[tokio::test]
    async fn a_job_cancelled_while_it_is_attached_to_ends() {
        let slow = Arc::new(Slow::default());
        let shared = Shared::new(Box::new(slow.clone()), files(), usize::MAX, 0, "/".into());
        *slow.shared.lock().unwrap() = Arc::downgrade(&shared);
        let paths = Paths::new(Path::new("candidate"), Path::new("results"));
        shared.attach(paths, note()).unwrap();
        assert_eq!(shared.table().taken(), 0);
        shared.close(Cancel::Gently);
        shared.idle().await;
    }

    #[test]
    fn a_job_that_is_attached_to_is_never_in_the_queue() {
        let slow = Arc::new(Slow::default());
        let shared = Shared::new(Box::new(slow.clone()), files(), usize::MAX, 0, "/".into());
        *slow.shared.lock().unwrap() = Arc::downgrade(&shared);
        let mut events = shared.events().subscribe();
        let other = shared.clone();
        // As soon as it hears of the job; on another thread, as a program may.
        let cancels = std::thread::spawn(move || {
            let Event::Submitted { job, .. } = events.blocking_recv().unwrap() else { panic!() };
            let queued = other.table().queued_since(job);
            other.cancel(&[job], Cancel::Gently);
            queued
        });
        let paths = Paths::new(Path::new("candidate"), Path::new("results"));
        shared.attach(paths, note()).unwrap();
        assert_eq!(cancels.join().unwrap(), None);
        assert_eq!(shared.table().taken(), 0);
    }
}
