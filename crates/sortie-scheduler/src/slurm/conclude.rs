//! After a job: what it left is read, judged and recorded; and another attempt, if that is worth it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sortie_results::jiff::{SignedDuration, Timestamp};
use sortie_results::{
    AttemptId, End, Ended, Fault, JobEnd, Outcome, Results, ResultsDir, Run, Seconds, Usage,
};
use sortie_slurm::JobId;

use super::Cluster;
use super::flight::{Flight, Landed};
use super::outcome::{Context, outcome, says_out_of_memory};
use super::submit::rest_all;
use crate::executor::without_results;

/// The pause before the first further attempt; each one after it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often it is tried to cancel a job that is lost, before there may be another attempt.
const CANCEL_TRIES: u32 = 20;
/// How much of the end of a log is looked at for what Slurm says, in bytes.
const LAST_WORDS: u64 = 8192;

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
        // Of a job that never started, Slurm tells times, too: when it expected it to.
        let info = ended.info.as_ref().filter(|info| info.host.is_some());
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
    let Landed { mut flight, id, stop, reason } = landed;
    let look = {
        let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
        let attempt = flight.attempt;
        move || look(&dir, attempt)
    };
    let (record, out_of_memory) = blocking(&cluster, look).await.unwrap_or_default();
    let context = Context {
        stop,
        reason: reason.as_deref().unwrap_or("Slurm did not say why").to_owned(),
        time_limit: cluster.plan.time_limit(),
        early_term: Duration::from_secs(cluster.plan.early_term().into()),
        out_of_memory,
    };
    let outcome = outcome(&ended, record.as_ref(), &context);
    if let (Outcome::Lost { .. }, Some(id)) = (&outcome, id)
        && !cancel_lost(&cluster, &id).await
    {
        // It may be there after all, beside which there must not be another one.
        flight.retries = 0;
    }
    let facts = Facts::new(&flight, &ended, record.as_ref());
    settle(&cluster, flight, outcome, facts).await;
}

/// The record of an attempt's end, and whether Slurm says in its log that memory ran out.
fn look(dir: &Path, attempt: AttemptId) -> (Option<JobEnd>, bool) {
    let record = JobEnd::load(dir, attempt).ok().flatten();
    let by_itself = matches!(&record, Some(JobEnd { end: End::Exited { .. }, .. }));
    let says_so = !by_itself
        && ResultsDir::reopen(dir, attempt)
            .is_ok_and(|dir| says_out_of_memory(&dir.stderr(LAST_WORDS).text()));
    (record, says_so)
}

/// Cancels a job that is not to be found; whether Slurm took note.
async fn cancel_lost(cluster: &Cluster, id: &JobId) -> bool {
    for _ in 0..CANCEL_TRIES {
        match cluster.client.cancel(std::slice::from_ref(id)).await {
            Ok(()) => return true,
            Err(error) => tracing::warn!(%id, %error, "cannot cancel a job that is lost"),
        }
        tokio::time::sleep(FIRST_PAUSE).await;
    }
    false
}

/// Records an attempt and tells its end, or goes on with another one.
pub(super) async fn settle(cluster: &Arc<Cluster>, flight: Flight, outcome: Outcome, facts: Facts) {
    if let Some(failed) = close(cluster, flight, outcome, facts, true).await {
        try_again(cluster, vec![failed]);
    }
}

/// The same for jobs that did not come to Slurm, together.
pub(super) async fn settle_all(cluster: &Arc<Cluster>, flights: Vec<Flight>, outcome: &Outcome) {
    let mut failed = Vec::new();
    for (flight, number) in flights.into_iter().zip(0..) {
        let facts = Facts::of_one_that_never_ran(&flight);
        // All are one failure.
        failed.extend(close(cluster, flight, outcome.clone(), facts, number == 0).await);
    }
    if !failed.is_empty() {
        try_again(cluster, failed);
    }
}

/// A job of which an attempt failed that is to have another one, and why it failed.
struct Failed {
    flight: Flight,
    why: String,
}

/// Records an attempt and tells its end; gives the job back if there is to be another attempt.
async fn close(
    cluster: &Arc<Cluster>,
    flight: Flight,
    outcome: Outcome,
    facts: Facts,
    telling: bool,
) -> Option<Failed> {
    let read = {
        let (cluster, flight_paths) = (cluster.clone(), flight.job.paths.clone());
        let (attempt, submitted) = (flight.attempt, flight.job.submitted);
        let command = cluster.plan.command(&flight_paths);
        move || {
            let ended = Attempted { attempt, submitted, outcome, facts, command };
            cluster.record(&flight_paths, ended)
        }
    };
    let Some((results, recorded)) = blocking(cluster, read).await else {
        cluster.flights().forget(flight.job.id);
        return None;
    };
    cluster.log(&flight, &results.outcome);
    if telling {
        cluster.learn(&results);
    }
    let again = results.fault == Some(Fault::Infrastructure)
        && flight.retries > 0
        && cluster.flights().stop(flight.job.id).is_none();
    if again {
        return Some(Failed { flight, why: results.detail.unwrap_or_default() });
    }
    cluster.flights().forget(flight.job.id);
    flight.job.reporter.ended(results, recorded);
    None
}

/// Another attempt of each, after a pause.
fn try_again(cluster: &Arc<Cluster>, failed: Vec<Failed>) {
    let before = failed.iter().map(|failed| failed.flight.failed).max().unwrap_or_default();
    let pause = (FIRST_PAUSE * 2_u32.saturating_pow(before)).min(LONGEST_PAUSE);
    let again = |Failed { mut flight, why }| {
        let reason = format!("another attempt in {} s, after: {why}", pause.as_secs());
        flight.job.reporter.pending(reason.into());
        flight.attempt = AttemptId::generate();
        (flight.retries, flight.failed) = (flight.retries - 1, flight.failed + 1);
        flight
    };
    let flights: Vec<_> = failed.into_iter().map(again).collect();
    let here = cluster.clone();
    cluster.runtime.spawn(async move {
        let flights = rest_all(&here, flights, Instant::now() + pause).await;
        here.launch(flights);
    });
}

/// Tells the end of a job that has never come to Slurm; `noted` says whether its results dir says otherwise.
pub(super) async fn give_up(cluster: &Arc<Cluster>, flight: Flight, outcome: Outcome, noted: bool) {
    if noted {
        let facts = Facts::of_one_that_never_ran(&flight);
        return settle(cluster, flight, outcome, facts).await;
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
                // Without the results, success is none.
                let outcome = match outcome {
                    Outcome::Exited { code: 0 } => Outcome::Lost { reason: error.to_string() },
                    other => other,
                };
                return (without_results(attempt, outcome, total), false);
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
                breaker.failed(Instant::now(), &cause(&outcome.to_string()));
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

/// What went wrong, in the same words for all jobs that it goes wrong for: without paths, ids and numbers.
fn cause(words: &str) -> String {
    let general = |word: &str| {
        let is_id = word.starts_with("sortie-") || word.len() >= 32;
        if is_id || word.contains('/') {
            return "…".to_owned();
        }
        let mut general = String::with_capacity(word.len());
        for c in word.chars() {
            match c {
                '0'..='9' if general.ends_with('#') => {}
                '0'..='9' => general.push('#'),
                c => general.push(c),
            }
        }
        general
    };
    words.split_whitespace().map(general).collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn equal_failures_have_equal_causes() {
        let equal = [
            ("node failed: n17 failed", "node failed: n9 failed"),
            (
                "submit failed: cannot write /scratch/a b/7/job.json: No space left on device (os error 28)",
                "submit failed: cannot write /scratch/a b/812/job.json: No space left on device (os error 28)",
            ),
            (
                "submit failed: gave up submitting after 901 s: `sbatch` gave no answer in 60 s",
                "submit failed: gave up submitting after 917 s: `sbatch` gave no answer in 60 s",
            ),
            (
                "lost: the job named sortie-0198c2f4a1b2 may or may not have been submitted",
                "lost: the job named sortie-0198c2f4ffff may or may not have been submitted",
            ),
        ];
        for (one, other) in equal {
            assert_eq!(cause(one), cause(other));
        }
        assert_eq!(cause(equal[0].0), "node failed: n# failed");
        assert_ne!(cause("preempted"), cause("node failed: n1 failed"));
    }
}
