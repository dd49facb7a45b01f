//! What is queued, running and finished: plain data, without clock, files or tasks.
//!
//! Jobs may be queued by the hundred thousand, so that a queued job is two paths and a few numbers.

use std::collections::BTreeSet;
use std::collections::hash_map::{Entry as Slot, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::executor::Cancel;
use crate::job::Paths;
use crate::recent::Recent;
use crate::{Finished, JobId};
use sortie_results::{Record, Results};

/// A job that is not over.
pub(crate) struct Live {
    pub(crate) paths: Paths,
    /// The results dir by its one true name, by which two jobs are kept from sharing it.
    pub(crate) key: Box<Path>,
    pub(crate) submitted: Instant,
    /// When its attempt was started.
    pub(crate) started: Option<Instant>,
    /// Why it has not started, if the executor tells.
    pub(crate) reason: Option<Arc<str>>,
    /// Whether the executor has it; if not, it is in the queue.
    taken: bool,
    /// Whether it has given its place among those that run to another, as a file system does not answer.
    aside: bool,
    /// Whether it is to be stopped, if the executor has it.
    cancel: Option<Cancel>,
    /// For a job of `run`: who gets its results. It is forgotten once it is over.
    pub(crate) runner: Option<oneshot::Sender<Results>>,
    /// Who waits for its end.
    pub(crate) waiters: Vec<oneshot::Sender<Arc<Finished>>>,
}

pub(crate) enum Entry {
    Live(Box<Live>),
    Finished(Arc<Finished>),
}

pub(crate) struct Table {
    entries: HashMap<JobId, Entry>,
    /// In the order of submission, since ids count up.
    queue: BTreeSet<JobId>,
    dirs: HashMap<Box<Path>, JobId>,
    last: u64,
    taken: usize,
    /// How many of the taken ones are set aside.
    aside: usize,
    /// How many of these wait for a place.
    returning: usize,
    /// The results of those that ended last.
    pub(crate) recent: Recent<Box<(Record, Results)>>,
}

impl Table {
    /// Keeps so many bytes of results in memory.
    pub(crate) fn new(recent_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            queue: BTreeSet::new(),
            dirs: HashMap::new(),
            last: 0,
            taken: 0,
            aside: 0,
            returning: 0,
            recent: Recent::new(recent_bytes),
        }
    }

    /// Queues a job, unless another has its results dir.
    pub(crate) fn add(
        &mut self,
        paths: Paths,
        key: Box<Path>,
        now: Instant,
        runner: Option<oneshot::Sender<Results>>,
    ) -> Result<JobId, JobId> {
        let id = JobId(self.last + 1);
        match self.dirs.entry(key.clone()) {
            Slot::Occupied(other) => return Err(*other.get()),
            Slot::Vacant(free) => free.insert(id),
        };
        self.last += 1;
        let live = Live {
            paths,
            key,
            submitted: now,
            started: None,
            reason: None,
            taken: false,
            aside: false,
            cancel: None,
            runner,
            waiters: Vec::new(),
        };
        self.entries.insert(id, Entry::Live(Box::new(live)));
        self.queue.insert(id);
        Ok(id)
    }

    pub(crate) fn get(&self, id: JobId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// The results dir of a job that is not over, as given.
    pub(crate) fn results_dir(&self, id: JobId) -> Option<Arc<Path>> {
        match self.entries.get(&id)? {
            Entry::Live(live) => Some(live.paths.results_dir.clone()),
            Entry::Finished(_) => None,
        }
    }

    /// Takes the next job for the executor, if fewer than `most` are with it.
    pub(crate) fn take(&mut self, most: usize) -> Option<(JobId, &Live)> {
        if self.taken - self.aside + self.returning >= most {
            return None;
        }
        let id = *self.queue.first()?;
        self.take_this(id)
    }

    /// Takes this job for the executor, out of its turn; `None` if it is over or taken.
    pub(crate) fn take_this(&mut self, id: JobId) -> Option<(JobId, &Live)> {
        let Some(Entry::Live(live)) = self.entries.get_mut(&id) else { return None };
        if live.taken {
            return None;
        }
        live.taken = true;
        self.taken += 1;
        self.queue.remove(&id);
        Some((id, live))
    }

    /// Gives the place of a taken job to another; whether it had one.
    pub(crate) fn set_aside(&mut self, id: JobId) -> bool {
        match self.entries.get_mut(&id) {
            Some(Entry::Live(live)) if live.taken && !live.aside => {
                live.aside = true;
                self.aside += 1;
                true
            }
            _ => false,
        }
    }

    /// Whether a job is set aside.
    pub(crate) fn is_aside(&self, id: JobId) -> bool {
        matches!(self.entries.get(&id), Some(Entry::Live(live)) if live.aside)
    }

    /// Has no job taken before one that is set aside has a place again, or has no more need of it.
    pub(crate) fn expect_back(&mut self, more: bool) {
        self.returning = if more { self.returning + 1 } else { self.returning - 1 };
    }

    /// Gives a job that is set aside a place again, if fewer than `most` have one.
    pub(crate) fn take_back(&mut self, id: JobId, most: usize) -> bool {
        let is_free = self.taken - self.aside < most;
        match self.entries.get_mut(&id) {
            Some(Entry::Live(live)) if live.aside && is_free => {
                live.aside = false;
                self.aside -= 1;
                true
            }
            _ => false,
        }
    }

    /// The job's attempt is under way.
    pub(crate) fn start(&mut self, id: JobId, now: Instant) {
        if let Some(Entry::Live(live)) = self.entries.get_mut(&id) {
            live.started = Some(now);
        }
    }

    /// The job waits, for this reason; so it does where an attempt failed and another one is to come.
    pub(crate) fn pend(&mut self, id: JobId, reason: Arc<str>) {
        if let Some(Entry::Live(live)) = self.entries.get_mut(&id) {
            (live.started, live.reason) = (None, Some(reason));
        }
    }

    /// Notes that a job is to be stopped that is with the executor; whether it is.
    pub(crate) fn cancel(&mut self, id: JobId, how: Cancel) -> bool {
        match self.entries.get_mut(&id) {
            Some(Entry::Live(live)) if live.taken => {
                live.cancel = live.cancel.max(Some(how));
                true
            }
            _ => false,
        }
    }

    /// How the job is to be stopped, if it is to be.
    pub(crate) fn cancelled(&self, id: JobId) -> Option<Cancel> {
        match self.entries.get(&id)? {
            Entry::Live(live) => live.cancel,
            Entry::Finished(_) => None,
        }
    }

    /// A job is over, if it was not before.
    pub(crate) fn finish(&mut self, id: JobId, finished: Arc<Finished>) -> Option<Box<Live>> {
        let live = match self.entries.remove(&id)? {
            Entry::Live(live) => live,
            over @ Entry::Finished(_) => {
                self.entries.insert(id, over);
                return None;
            }
        };
        if live.runner.is_none() {
            self.entries.insert(id, Entry::Finished(finished));
        }
        self.dirs.remove(&live.key);
        self.taken -= usize::from(live.taken);
        self.aside -= usize::from(live.aside);
        self.queue.remove(&id);
        Some(live)
    }

    /// Adds one who waits for a job that is not over.
    pub(crate) fn wait(&mut self, id: JobId) -> Option<oneshot::Receiver<Arc<Finished>>> {
        let Some(Entry::Live(live)) = self.entries.get_mut(&id) else { return None };
        let (sender, receiver) = oneshot::channel();
        // Those who gave up waiting must not pile up.
        live.waiters.retain(|waiter| !waiter.is_closed());
        live.waiters.push(sender);
        Some(receiver)
    }

    /// Forgets a job that is over; whether it was.
    pub(crate) fn forget(&mut self, id: JobId) -> bool {
        let over = matches!(self.entries.get(&id), Some(Entry::Finished(_)));
        if over {
            self.entries.remove(&id);
            self.recent.take(id);
        }
        over
    }

    /// When the job was submitted, if it still waits in the queue.
    pub(crate) fn queued_since(&self, id: JobId) -> Option<Instant> {
        match self.entries.get(&id)? {
            Entry::Live(live) if !live.taken => Some(live.submitted),
            _ => None,
        }
    }

    /// The jobs that are not over, the queued ones first: so that no room made by ending the others
    /// is filled with them.
    pub(crate) fn live(&self) -> Vec<JobId> {
        let is_live = |id: &JobId| matches!(self.entries.get(id), Some(Entry::Live(_)));
        let mut live: Vec<_> = self.entries.keys().copied().filter(is_live).collect();
        live.sort_unstable_by_key(|id| (self.queued_since(*id).is_none(), *id));
        live
    }

    /// How many are with the executor.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::without_results;
    use sortie_results::{AttemptId, Outcome};
    use std::time::Duration;

    fn finished() -> Arc<Finished> {
        let results = without_results(AttemptId::generate(), Outcome::Cancelled, Duration::ZERO);
        Arc::new(Finished::new(&results, Path::new("results").into(), false))
    }

    #[test]
    fn a_job_counts_as_taken_once_and_only_while_it_is_live() {
        let mut table = Table::new(0);
        let mut add = |dir: &str| {
            let paths = Paths::new(Path::new("candidate"), Path::new(dir));
            table.add(paths, Path::new(dir).into(), Instant::now(), None).unwrap()
        };
        let (cancelled, running) = (add("a"), add("b"));
        table.finish(cancelled, finished());
        assert!(table.take_this(cancelled).is_none());
        assert_eq!(table.taken(), 0);

        assert!(table.take_this(running).is_some());
        assert!(table.take_this(running).is_none());
        assert_eq!(table.taken(), 1);
        assert!(table.take(usize::MAX).is_none());
        table.finish(running, finished());
        assert_eq!(table.taken(), 0);
    }

    #[test]
    fn one_that_is_set_aside_has_its_place_again_before_others() {
        let mut table = Table::new(0);
        let [aside, second, third] = ["a", "b", "c"].map(|dir| {
            let paths = Paths::new(Path::new("candidate"), Path::new(dir));
            table.add(paths, Path::new(dir).into(), Instant::now(), None).unwrap()
        });
        assert_eq!(table.take(1).unwrap().0, aside);
        assert!(table.take(1).is_none());
        assert!(table.set_aside(aside) && !table.set_aside(aside));
        assert_eq!(table.take(1).unwrap().0, second);
        table.expect_back(true);
        assert!(!table.take_back(aside, 1));
        table.finish(second, finished());
        assert!(table.take(1).is_none());
        assert!(table.take_back(aside, 1) && !table.is_aside(aside));
        table.expect_back(false);
        table.finish(aside, finished());
        assert_eq!(table.take(1).unwrap().0, third);
    }
}
