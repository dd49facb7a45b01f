//! After a job: what it left is read, judged and recorded; and another attempt, if that is worth it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sortie_results::jiff::{SignedDuration, Timestamp};
use sortie_results::{
    AttemptId, Ended, Fault, JobEnd, Outcome, Results, ResultsDir, Run, Seconds, Usage,
};

use super::flight::{Flight, Landed};
use super::outcome::{Context, outcome};
use super::submit::rest;
use super::{Cluster, flight::Stop};
use crate::executor::without_results;

/// The pause before the first further attempt; each one after it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is known of an attempt beside its outcome.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    started_at: Option<SystemTime>,
    queued: Duration,
    running: Duration,
    host: String,
    peak_memory: u64,
}

impl Facts {
    /// Of an attempt that Slurm never had.
    pub(super) fn of_one_that_never_ran(flight: &Flight) -> Self {
        Self { queued: flight.since.elapsed().unwrap_or_default(), ..Self::default() }
    }

    /// From the attempt's own record, and from what Slurm tells where there is none.
    fn new(flight: &Flight, ended: &sortie_slurm::Ended, record: Option<&JobEnd>) -> Self {
        let info = ended.info.as_ref();
        let host = info.and_then(|info| info.host.as_deref()).unwrap_or_default();
        let started_at = record.map(|record| record.start.time());
        let started_at = started_at.or_else(|| info.and_then(|info| info.start));
        let ended_at = info.and_then(|info| info.end);
        let between = |from: Option<SystemTime>, to: Option<SystemTime>| {
            to.zip(from).and_then(|(to, from)| to.duration_since(from).ok()).unwrap_or_default()
        };
        Self {
            started_at,
            queued: between(Some(flight.since), started_at.or(Some(SystemTime::now()))),
            running: record.map_or_else(|| between(started_at, ended_at), JobEnd::running),
            host: record.map_or(host, |record| &record.start.host).to_owned(),
            peak_memory: info.and_then(|info| info.peak_memory).unwrap_or(0),
        }
    }
}

/// Sees to a job that is over for Slurm.
pub(super) async fn conclude(cluster: Arc<Cluster>, landed: Landed, ended: sortie_slurm::Ended) {
    let Landed { flight, id, stop, reason } = landed;
    let record = {
        let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
        let attempt = flight.attempt;
        let read = move || JobEnd::load(&dir, attempt).ok()?;
        blocking(&cluster, read).await.flatten()
    };
    let context = Context {
        stop,
        reason: reason.as_deref().unwrap_or("Slurm did not say why").to_owned(),
        time_limit: cluster.plan.time_limit(),
        early_term: Duration::from_secs(cluster.plan.early_term().into()),
    };
    let outcome = outcome(&ended, record.as_ref(), &context);
    if matches!(outcome, Outcome::Lost { .. }) {
        // Before another attempt, in case it is there after all.
        cluster.scancel(id.into_iter().collect());
    }
    let facts = Facts::new(&flight, &ended, record.as_ref());
    settle(&cluster, flight, outcome, facts).await;
}

/// Records an attempt and tells its end, or goes on with another one.
pub(super) async fn settle(cluster: &Arc<Cluster>, flight: Flight, outcome: Outcome, facts: Facts) {
    let read = {
        let (cluster, flight_paths) = (cluster.clone(), flight.job.paths.clone());
        let (attempt, submitted) = (flight.attempt, flight.job.submitted);
        let command = cluster.plan.command(&flight_paths);
        move || {
            let ended = Attempted { attempt, submitted, outcome, facts, command };
            cluster.record(&flight_paths, ended)
        }
    };
    let Some((results, recorded)) = blocking(cluster, read).await else { return };
    cluster.log(&flight, &results.outcome);
    cluster.learn(&results);
    let again = results.fault == Some(Fault::Infrastructure)
        && flight.retries > 0
        && cluster.flights().stop(flight.job.id).is_none();
    if again {
        return try_again(cluster, flight, &results).await;
    }
    cluster.flights().forget(flight.job.id);
    flight.job.reporter.ended(results, recorded);
}

/// Another attempt, after a pause.
async fn try_again(cluster: &Arc<Cluster>, mut flight: Flight, results: &Results) {
    let pause = (FIRST_PAUSE * 2_u32.saturating_pow(flight.failed)).min(LONGEST_PAUSE);
    let why = results.detail.as_deref().unwrap_or_default();
    let reason = format!("another attempt in {} s, after: {why}", pause.as_secs());
    flight.job.reporter.pending(reason.into());
    let stop = rest(cluster, flight.job.id, pause).await;
    flight.attempt = AttemptId::generate();
    (flight.retries, flight.failed) = (flight.retries - 1, flight.failed + 1);
    match stop {
        Some(Stop::Asked | Stop::Overdue) => {
            give_up(cluster, flight, Outcome::Cancelled, false).await;
        }
        None => cluster.launch(vec![flight]),
    }
}

/// Tells the end of a job that has never come to Slurm.
pub(super) async fn give_up(
    cluster: &Arc<Cluster>,
    flight: Flight,
    outcome: Outcome,
    claimed: bool,
) {
    if claimed {
        let facts = Facts::of_one_that_never_ran(&flight);
        return Box::pin(settle(cluster, flight, outcome, facts)).await;
    }
    cluster.log(&flight, &outcome);
    cluster.flights().forget(flight.job.id);
    let results = without_results(flight.attempt, outcome, flight.job.submitted.elapsed());
    flight.job.reporter.ended(results, false);
}

/// An attempt that is over.
struct Attempted {
    attempt: AttemptId,
    submitted: Instant,
    outcome: Outcome,
    facts: Facts,
    command: Vec<std::ffi::OsString>,
}

impl Cluster {
    /// Reads, judges and records what an attempt left; and whether its record was written.
    fn record(&self, paths: &crate::job::Paths, ended: Attempted) -> (Results, bool) {
        let Attempted { attempt, submitted, outcome, facts, command } = ended;
        let total = submitted.elapsed();
        let dir = match ResultsDir::reopen(&self.plan.here.cwd.join(&paths.results_dir), attempt) {
            Ok(dir) => dir,
            Err(error) => {
                let lost = Outcome::Lost { reason: error.to_string() };
                return (without_results(attempt, lost, total), false);
            }
        };
        let seconds = Seconds {
            queued: facts.queued.as_secs_f64(),
            running: facts.running.as_secs_f64(),
            total: total.as_secs_f64(),
        };
        let usage = Usage { peak_memory_bytes: facts.peak_memory, ..Usage::default() };
        let results = dir.collect(Ended { outcome, seconds, usage }, self.read_limits);
        let ended_at = Timestamp::now();
        let since_submitted = SignedDuration::try_from(total).unwrap_or_default();
        let run = Run {
            candidate: paths.candidate.to_path_buf(),
            command,
            submitted_at: ended_at.saturating_sub(since_submitted).unwrap_or(ended_at),
            started_at: facts.started_at.and_then(|at| Timestamp::try_from(at).ok()),
            ended_at,
            stragglers: 0,
            protection: vec!["slurm".to_owned(), "environment mark".to_owned()],
            host: facts.host,
        };
        let recorded = dir.record(&run, &results).inspect_err(|error| {
            tracing::warn!("the attempt is not recorded: {error}");
        });
        (results, recorded.is_ok())
    }

    /// Tells the circuit breaker how an attempt went.
    fn learn(&self, results: &Results) {
        let mut breaker = self.breaker();
        match (results.fault, &results.outcome) {
            (Some(Fault::Infrastructure), outcome) => {
                breaker.failed(Instant::now(), &outcome.to_string());
            }
            (_, Outcome::Cancelled) => {}
            _ => breaker.succeeded(),
        }
    }

    fn log(&self, flight: &Flight, outcome: &Outcome) {
        let (job, attempt) = (flight.job.name(), flight.attempt);
        if self.verbose {
            tracing::info!(%job, %attempt, %outcome, "ended");
        } else {
            tracing::debug!(%job, %attempt, %outcome, "ended");
        }
    }
}

/// Runs what blocks on the file system beside the runtime, a few at once; `None` if it panics.
async fn blocking<T: Send + 'static>(
    cluster: &Cluster,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let permit = cluster.readers.clone().acquire_owned().await.ok()?;
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}
