//! What an attempt has left, read, judged and recorded.

use std::time::{Duration, Instant, SystemTime};

use sortie_results::jiff::{SignedDuration, Timestamp};
use sortie_results::{
    AttemptId, Ended, JobEnd, Outcome, Place, Record, Results, ResultsDir, Run, Seconds, Usage,
};

use super::Cluster;
use super::flight::Flight;
use crate::executor::without_results;

/// What is known of an attempt beside its outcome.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    started_at: Option<SystemTime>,
    queued: Duration,
    running: Duration,
    host: String,
    usage: Usage,
}

impl Facts {
    /// Of an attempt that Slurm never had.
    pub(super) fn of_one_that_never_ran(flight: &Flight) -> Self {
        Self { queued: flight.since.elapsed().unwrap_or_default(), ..Self::default() }
    }

    /// From the attempt's own record, and from what Slurm tells where there is none.
    pub(super) fn new(
        flight: &Flight,
        ended: &sortie_slurm::Ended,
        record: Option<&JobEnd>,
    ) -> Self {
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
            usage: Usage {
                cpu_user_seconds: record.map_or(0.0, |record| record.cpu_user_seconds),
                cpu_system_seconds: record.map_or(0.0, |record| record.cpu_system_seconds),
                peak_memory_bytes: info.and_then(|info| info.peak_memory).unwrap_or(0),
            },
        }
    }
}

/// An attempt that is over.
pub(super) struct Attempted {
    pub(super) attempt: AttemptId,
    pub(super) place: Place,
    pub(super) submitted: Instant,
    pub(super) outcome: Outcome,
    pub(super) facts: Facts,
    pub(super) command: Vec<std::ffi::OsString>,
}

impl Cluster {
    /// Reads, judges and records what an attempt left; its record, if that could be written.
    pub(super) fn record(
        &self,
        paths: &crate::job::Paths,
        ended: Attempted,
    ) -> (Results, Option<Record>) {
        let Attempted { attempt, place, submitted, outcome, facts, command } = ended;
        let total = submitted.elapsed();
        let path = self.plan.here.cwd.join(&paths.results_dir);
        let dir = match ResultsDir::reopen_at(&path, place, attempt) {
            Ok(dir) => dir,
            Err(error) => {
                // Without the results, success is none.
                let outcome = match outcome {
                    Outcome::Exited { code: 0 } => Outcome::Lost { reason: error.to_string() },
                    other => other,
                };
                return (without_results(attempt, outcome, total), None);
            }
        };
        let seconds = Seconds {
            queued: facts.queued.as_secs_f64(),
            running: facts.running.as_secs_f64(),
            total: total.as_secs_f64(),
        };
        let programs = paths.programs(&self.plan.spec, &self.plan.here.cwd, &outcome);
        let ended = Ended { outcome, seconds, usage: facts.usage, programs };
        let results = dir.collect(ended, self.read_limits);
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
            evaluator_sha256: dir.submitted().evaluator_sha256.clone(),
            read_limits: self.read_limits,
        };
        let record = dir.record(&run, &results).inspect_err(|error| {
            tracing::warn!("the attempt is not recorded: {error}");
        });
        (results, record.ok())
    }
}
