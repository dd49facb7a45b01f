//! Jobs on a cluster run by Slurm.
//!
//! ```text
//!   submit ──▶ turn ──▶ prepare (claim, note, render) ──▶ sbatch ──▶ in flight ──▶ conclude (read, judge, record)
//!               ▲                                                       │ reports of the watcher  │
//!               └──────────── another attempt, after a failure of the infrastructure ◀────────────┘
//! ```
//!
//! Between sbatch and the end nothing is held for a job but its place in a table: no task, no open file. The
//! results dir is kept by a note in it (`Claim::submitted`), which holds until there is a record: whatever ends a
//! job that has a note writes one.
//!
//! A job that is to be stopped is marked in the table, and who waits for its sake (for a turn, sbatch, another
//! attempt) is woken and looks. Where Slurm may have the job, its end is told only once Slurm has not: otherwise
//! two attempts could share a results dir.

mod attach;
mod breaker;
mod conclude;
mod files;
mod flight;
mod killing;
mod leaving;
mod outcome;
mod plan;
mod prepare;
mod record;
mod requested;
mod room;
mod submit;
mod turn;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sortie_config::JobSpec;
use sortie_results::{Consent, ReadLimits, Submitted};
use sortie_slurm::{Breaker, Client, Pace, Patience, Report, Update, Watcher};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, Semaphore};

pub(crate) use plan::Plan;
pub(crate) use requested::Requested;

use crate::executor::{Cancel, Executor, Job, Setting};
use crate::here::Here;
use crate::{JobId, SchedulerError};
use attach::Lookups;
use flight::{Flight, Flights};
use leaving::Leaving;
use sortie_blocking::BlockingPool;

/// How many sbatch commands run at once: more would only queue in the controller.
const SUBMISSIONS_AT_ONCE: usize = 4;
/// So many identical failures of the infrastructure in a row pause submission …
const FAILURES: u32 = 10;
/// … for so long, before one job is tried.
const PAUSE: Duration = Duration::from_secs(60);
/// How often the time in the queue is compared with what it may be.
const QUEUE_LOOK: Duration = Duration::from_secs(5);

/// The executor of Slurm jobs.
pub(crate) struct Slurm {
    cluster: Arc<Cluster>,
}

/// What the tasks of the executor share.
struct Cluster {
    plan: Plan,
    client: Client,
    watcher: Watcher,
    runtime: Handle,
    read_limits: ReadLimits,
    consent: Consent,
    verbose: bool,
    flights: Mutex<Flights>,
    breaker: Mutex<Breaker>,
    submissions: Semaphore,
    /// Makes calls to the file system of jobs.
    files: Arc<BlockingPool>,
    /// Told when a job is to be stopped, for those that wait before they are submitted.
    cancelled: Notify,
    lookups: Lookups,
    /// Whether the jobs are left to Slurm when the runtime goes.
    left: AtomicBool,
}

impl Slurm {
    pub(crate) fn new(spec: JobSpec, here: Here, setting: Setting) -> Result<Self, SchedulerError> {
        let (env, cwd) = (here.env.clone(), here.cwd.clone());
        let client = Client::new(setting.supervisor, env, cwd, Client::TIME_LIMIT);
        let plan = Plan::new(spec, here)?;
        let unused = &plan.requested.unused;
        if !unused.is_empty() {
            tracing::warn!(?unused, "variables for sbatch that the settings win over");
        }
        let (watcher, reports) =
            Watcher::start(Arc::new(client.clone()), Pace::default(), Patience::default());
        let Setting { runtime, files, read_limits, consent, verbose, .. } = setting;
        let cluster = Arc::new(Cluster {
            plan,
            client,
            watcher,
            runtime: runtime.clone(),
            read_limits,
            consent,
            verbose,
            flights: Mutex::default(),
            breaker: Mutex::new(Breaker::new(FAILURES, PAUSE)),
            submissions: Semaphore::new(SUBMISSIONS_AT_ONCE),
            files,
            cancelled: Notify::new(),
            lookups: Lookups::default(),
            left: AtomicBool::new(false),
        });
        runtime.spawn(attend(Arc::downgrade(&cluster), reports));
        Ok(Self { cluster })
    }
}

impl Executor for Slurm {
    fn submit(&self, jobs: Vec<Job>) {
        let retries = self.cluster.plan.retries();
        let flights: Vec<_> = jobs.into_iter().map(|job| Flight::new(job, retries)).collect();
        for flight in &flights {
            self.cluster.flights().expect(flight.job.id);
        }
        self.cluster.launch(flights);
    }

    fn attach(&self, job: Job, note: Submitted) {
        self.cluster.flights().expect(job.id);
        self.cluster.runtime.spawn(attach::attach(self.cluster.clone(), job, note));
    }

    fn leave(&self) -> bool {
        self.cluster.left.store(true, Ordering::Relaxed);
        true
    }

    fn cancel(&self, jobs: &[JobId], _how: Cancel) {
        let ids = self.cluster.flights().cancel(jobs);
        self.cluster.cancelled.notify_waiters();
        self.cluster.scancel(ids);
    }
}

impl Cluster {
    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has jobs submitted, as arrays if they are many.
    fn launch(self: &Arc<Self>, flights: Vec<Flight>) {
        self.runtime.spawn(submit::submit(self.clone(), flights));
    }

    /// Has jobs cancelled that are in Slurm's hands. Tried until it works, or they are over.
    fn scancel(self: &Arc<Self>, ids: Vec<sortie_slurm::JobId>) {
        if ids.is_empty() {
            return;
        }
        let cluster = self.clone();
        self.runtime.spawn(async move {
            let mut ids = ids;
            let mut pause = Duration::from_secs(1);
            while let Err(error) = cluster.client.cancel(&ids).await {
                tracing::warn!(%error, "cannot cancel {} jobs; trying again", ids.len());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(30));
                ids.retain(|id| cluster.flights().knows(id));
            }
            cluster.watcher.cancelled(ids);
        });
    }
}

/// Sees to the watcher's reports for as long as the executor is there or jobs are in flight.
async fn attend(cluster: std::sync::Weak<Cluster>, mut reports: UnboundedReceiver<Report>) {
    let _leaving = Leaving(cluster.clone());
    let mut look = tokio::time::interval(QUEUE_LOOK);
    loop {
        tokio::select! {
            report = reports.recv() => match (report, cluster.upgrade()) {
                (Some(report), Some(cluster)) => cluster.hear(report),
                _ => return,
            },
            _ = look.tick() => match cluster.upgrade() {
                Some(cluster) => cluster.bound_queue_time(),
                None => return,
            },
        }
    }
}

impl Cluster {
    fn hear(self: &Arc<Self>, Report { id, update }: Report) {
        match update {
            Update::Pending(info) => {
                let reason = info.reason.unwrap_or_else(|| info.state.to_string().into());
                self.flights().pending(&id, reason.into());
            }
            Update::Started(_) => self.flights().started(&id),
            Update::Ended(ended) => {
                let flight = self.flights().landed(&id);
                if let Some(flight) = flight {
                    self.runtime.spawn(conclude::conclude(self.clone(), flight, ended));
                }
            }
        }
    }

    /// Cancels jobs that have waited in the queue for longer than the settings allow.
    fn bound_queue_time(self: &Arc<Self>) {
        if let Some(limit) = self.plan.max_queue_time() {
            let ids = self.flights().overdue(limit);
            self.scancel(ids);
        }
    }
}
