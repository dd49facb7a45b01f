//! Jobs in Slurm's hands: plain data, without clock, files or tasks.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sortie_results::{AttemptId, Place};
use sortie_slurm::JobName;

use crate::executor::Job;

/// A job, from the executor's taking it until its end is told.
pub(super) struct Flight {
    pub(super) job: Job,
    /// The attempt under way, or to come.
    pub(super) attempt: AttemptId,
    /// How many further attempts it may have.
    pub(super) retries: u32,
    /// How many attempts have failed.
    pub(super) failed: u32,
    /// When it was last handed to sbatch, or earlier.
    pub(super) since: SystemTime,
    /// Where its directories are, once it has them.
    pub(super) place: Option<Place>,
    /// The script that it was handed in with.
    pub(super) script: PathBuf,
    /// The attempt of the first of those it was handed in with.
    pub(super) first: Option<AttemptId>,
    /// How many jobs may go into one array with it.
    pub(super) together: usize,
}

impl Flight {
    pub(super) fn new(job: Job, retries: u32) -> Self {
        Self {
            attempt: job.attempt,
            job,
            retries,
            failed: 0,
            since: SystemTime::now(),
            place: None,
            script: PathBuf::new(),
            first: None,
            together: usize::MAX,
        }
    }
}

impl Flight {
    /// Where its directories are; `cwd` is what a relative path starts from.
    pub(super) fn place(&self, cwd: &Path) -> Place {
        self.place.clone().unwrap_or_else(|| Place::of(&cwd.join(&self.job.paths.results_dir)))
    }
}

/// Why a job is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It was asked for.
    Asked,
    /// It has waited in the queue for too long.
    Overdue,
}

/// Where a job stands.
#[derive(Default)]
struct Standing {
    /// Its id with Slurm, once it has one.
    id: Option<sortie_slurm::JobId>,
    stop: Option<Stop>,
}

struct InFlight {
    flight: Flight,
    /// Since when it has been in Slurm's queue.
    queued: Instant,
    started: bool,
    reason: Option<Arc<str>>,
}

/// All jobs of the executor: those that Slurm has, by its ids, and where each of them stands.
#[derive(Default)]
pub(super) struct Flights {
    standings: HashMap<crate::JobId, Standing>,
    in_flight: HashMap<sortie_slurm::JobId, InFlight>,
    /// Those that sbatch runs for, and may have handed in.
    submitting: HashSet<JobName>,
}

impl Flights {
    /// Sbatch is about to run for jobs with that name.
    pub(super) fn submitting(&mut self, name: &JobName) {
        self.submitting.insert(name.clone());
    }

    /// Sbatch does not run any more.
    pub(super) fn submitted(&mut self, name: &JobName) {
        self.submitting.remove(name);
    }

    /// Notes a job that is about to be submitted, or looked for.
    pub(super) fn expect(&mut self, job: crate::JobId) {
        self.standings.insert(job, Standing::default());
    }

    /// Notes that Slurm has a job; whether it is to be cancelled at once.
    pub(super) fn took_off(&mut self, id: &sortie_slurm::JobId, flight: Flight) -> bool {
        let standing = self.standings.entry(flight.job.id).or_default();
        standing.id = Some(id.clone());
        let stop = standing.stop.is_some();
        let queued = Instant::now();
        self.in_flight
            .insert(id.clone(), InFlight { flight, queued, started: false, reason: None });
        stop
    }

    /// A job waits in Slurm's queue.
    pub(super) fn pending(&mut self, id: &sortie_slurm::JobId, reason: Arc<str>) {
        if let Some(in_flight) = self.in_flight.get_mut(id) {
            in_flight.reason = Some(reason.clone());
            in_flight.flight.job.reporter.pending(reason);
        }
    }

    /// A job was started by Slurm.
    pub(super) fn started(&mut self, id: &sortie_slurm::JobId) {
        if let Some(in_flight) = self.in_flight.get_mut(id) {
            in_flight.started = true;
            in_flight.flight.job.reporter.started();
        }
    }

    /// A job is over for Slurm.
    pub(super) fn landed(&mut self, id: &sortie_slurm::JobId) -> Option<Landed> {
        let InFlight { flight, reason, .. } = self.in_flight.remove(id)?;
        let standing = self.standings.entry(flight.job.id).or_default();
        standing.id = None;
        let stop = standing.stop;
        Some(Landed { flight, id: Some(id.clone()), stop, reason })
    }

    /// A job is over for the scheduler, too.
    pub(super) fn forget(&mut self, job: crate::JobId) {
        self.standings.remove(&job);
    }

    /// Notes that jobs are to be stopped; the ids of those that Slurm has.
    pub(super) fn cancel(&mut self, jobs: &[crate::JobId]) -> Vec<sortie_slurm::JobId> {
        let mut ids = Vec::new();
        for job in jobs {
            if let Some(standing) = self.standings.get_mut(job) {
                standing.stop.get_or_insert(Stop::Asked);
                ids.extend(standing.id.clone());
            }
        }
        ids
    }

    /// Why the job is to be stopped, if it is.
    pub(super) fn stop(&self, job: crate::JobId) -> Option<Stop> {
        self.standings.get(&job)?.stop
    }

    /// Whether any of the jobs is to be stopped.
    pub(super) fn stops_any(&self, flights: &[Flight]) -> bool {
        flights.iter().any(|flight| self.stop(flight.job.id).is_some())
    }

    /// Whether all of the jobs are to be stopped.
    pub(super) fn stops_all(&self, flights: &[Flight]) -> bool {
        flights.iter().all(|flight| self.stop(flight.job.id).is_some())
    }

    /// Gives up all jobs that Slurm has or may have: their ids and names.
    pub(super) fn abandon(&mut self) -> (Vec<sortie_slurm::JobId>, Vec<JobName>, Vec<Flight>) {
        let (ids, flights) =
            self.in_flight.drain().map(|(id, in_flight)| (id, in_flight.flight)).unzip();
        (ids, self.submitting.drain().collect(), flights)
    }

    /// Notes that jobs are to be stopped that have been in the queue for longer than `limit`; their ids.
    pub(super) fn overdue(&mut self, limit: Duration) -> Vec<sortie_slurm::JobId> {
        let mut ids = Vec::new();
        for (id, in_flight) in &self.in_flight {
            let overdue = !in_flight.started && in_flight.queued.elapsed() > limit;
            if let Some(standing) = self.standings.get_mut(&in_flight.flight.job.id)
                && overdue
                && standing.stop.is_none()
            {
                standing.stop = Some(Stop::Overdue);
                ids.push(id.clone());
            }
        }
        ids
    }

    /// Whether Slurm is believed to have the job.
    pub(super) fn knows(&self, id: &sortie_slurm::JobId) -> bool {
        self.in_flight.contains_key(id)
    }
}

/// A job that is over for Slurm.
pub(super) struct Landed {
    pub(super) flight: Flight,
    /// Its id with Slurm, if it had one.
    pub(super) id: Option<sortie_slurm::JobId>,
    pub(super) stop: Option<Stop>,
    /// Why it waited in the queue, as last heard.
    pub(super) reason: Option<Arc<str>>,
}
