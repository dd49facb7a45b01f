//! After a job: its end is recorded and told, or there is another attempt, if that is worth it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sortie_results::{
    AttemptId, End, EndRecordError, Fault, JobEnd, Outcome, Place, Results, ResultsDir,
};
use sortie_slurm::{Ending, JobId};
use tokio::time::Instant;

use super::Cluster;
use super::flight::{Flight, Landed};
use super::outcome::{Context, outcome, says_out_of_memory};
use super::record::{Attempted, Facts};
use super::turn::rest_all;
use crate::executor::without_results;
use crate::said;

/// The pause before the first further attempt; each one after it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often it is tried to cancel a job that is lost, before there may be another attempt.
const CANCEL_TRIES: u32 = 20;
/// How often it is looked again for a record that the file system does not let be read, …
const LOOKS: u32 = 10;
/// … and after which pause.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How much of the end of a log is looked at for what Slurm says, in bytes.
const LAST_WORDS: u64 = 8192;

/// Sees to a job that is over for Slurm.
pub(super) async fn conclude(cluster: Arc<Cluster>, landed: Landed, ended: sortie_slurm::Ended) {
    let Landed { mut flight, id, stop, reason } = landed;
    let look = {
        let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
        let (place, attempt) = (flight.place(&cluster.plan.here.cwd), flight.attempt);
        let words = slurms_words(&flight, id.as_ref());
        move || look(&dir, &place, attempt, words.as_ref())
    };
    let mut left = cluster.ask(&flight, look.clone()).await.unwrap_or_default();
    for _ in 0..LOOKS {
        if !left.may_be_read_later {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        left = cluster.ask(&flight, look.clone()).await.unwrap_or_default();
    }
    let Left { record, unreadable, began, out_of_memory, .. } = left;
    let context = Context {
        stop,
        reason: reason.as_deref().unwrap_or("Slurm did not say why").to_owned(),
        time_limit: cluster.plan.time_limit(),
        early_term: Duration::from_secs(cluster.plan.early_term().into()),
        out_of_memory,
        began,
        user: rustix::process::getuid().as_raw(),
    };
    let mut outcome = outcome(&ended, record.as_ref(), &context);
    if let (Outcome::SetupFailed { reason, .. }, Some(_)) = (&mut outcome, &record) {
        let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
        let (place, attempt) = (flight.place(&cluster.plan.here.cwd), flight.attempt);
        let said = move || {
            ResultsDir::reopen_at(&dir, place, attempt).map(|dir| dir.stderr(said::LAST_WORDS))
        };
        let said = cluster.ask(&flight, said).await;
        reason.push_str(&said::of_set_up(&said.and_then(Result::ok).unwrap_or_default().text()));
    }
    // That there is no record is not why.
    if let (Outcome::Lost { .. } | Outcome::NodeFailed { .. }, Some(reason)) =
        (&outcome, unreadable)
    {
        outcome = Outcome::Lost { reason };
    }
    // It may be there after all, or is there still.
    let may_run = matches!(outcome, Outcome::Lost { .. }) || ended.how == Ending::Requeued;
    if let (true, Some(id)) = (may_run, id)
        && !cancel_lost(&cluster, &id).await
    {
        // There must not be another one beside it.
        flight.retries = 0;
    }
    let facts = Facts::new(&flight, &ended, record.as_ref());
    settle(&cluster, flight, outcome, facts).await;
}

/// What an attempt has left behind.
#[derive(Default)]
struct Left {
    /// The record of its end.
    record: Option<JobEnd>,
    /// What is wrong with that, if it is there and cannot be read.
    unreadable: Option<String>,
    /// Whether that may pass, as of a file server that is away.
    may_be_read_later: bool,
    /// Whether there is one of its start.
    began: bool,
    /// Whether Slurm says in its log that memory ran out.
    out_of_memory: bool,
}

fn look(dir: &Path, place: &Place, attempt: AttemptId, words: Option<&(PathBuf, String)>) -> Left {
    let (record, error) = match place.job_end(attempt) {
        Ok(record) => (record, None),
        Err(error) => (None, Some(error)),
    };
    let may_be_read_later = error.as_ref().is_some_and(EndRecordError::may_pass);
    let unreadable = error.map(|error| error.to_string());
    // One that cannot be read says all the same that somebody wrote it.
    let began = record.is_some() || !matches!(place.job_start(attempt), Ok(None));
    let by_itself = matches!(&record, Some(JobEnd { end: End::Exited { .. }, .. }));
    let says_so = !by_itself
        && ResultsDir::reopen_at(dir, place.clone(), attempt)
            .is_ok_and(|dir| says_out_of_memory(&dir.stderr(LAST_WORDS).text()));
    let in_words = |(first, name): &(PathBuf, String)| {
        says_out_of_memory(&ResultsDir::tail_of(first, name, LAST_WORDS).text())
    };
    let out_of_memory = says_so || !by_itself && words.is_some_and(in_words);
    Left { record, unreadable, may_be_read_later, began, out_of_memory }
}

/// Where Slurm's messages for an element of an array are: where the script is kept,
/// and the file's name. The first's attempt names the job.
pub(super) fn slurms_words(flight: &Flight, id: Option<&JobId>) -> Option<(PathBuf, String)> {
    let element = id?.element?;
    let dir = flight.script.parent()?.to_owned();
    Some((dir, sortie_script::slurms_words(flight.first?, element)))
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
    let unread = outcome.clone();
    let read = {
        let (cluster, flight_paths) = (cluster.clone(), flight.job.paths.clone());
        let (attempt, submitted) = (flight.attempt, flight.job.submitted);
        let place = flight.place(&cluster.plan.here.cwd);
        let command = cluster.plan.command(&flight_paths);
        move || {
            let ended = Attempted { attempt, place, submitted, outcome, facts, command };
            cluster.record(&flight_paths, ended)
        }
    };
    let Some((results, record)) = cluster.ask(&flight, read).await else {
        cluster.end_unread(flight, unread);
        return None;
    };
    cluster.log(&flight, &results.outcome);
    if telling {
        cluster.learn(&results);
    }
    if is_worth_another(cluster, &flight, &results) {
        return Some(Failed { flight, why: results.detail.unwrap_or_default() });
    }
    cluster.flights().forget(flight.job.id);
    flight.job.reporter.ended(results, record);
    None
}

fn is_worth_another(cluster: &Cluster, flight: &Flight, results: &Results) -> bool {
    results.fault == Some(Fault::Infrastructure)
        && flight.retries > 0
        && cluster.flights().stop(flight.job.id).is_none()
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

/// Sees to a job that has never come to Slurm; `noted` says whether its results dir says otherwise.
pub(super) async fn give_up(cluster: &Arc<Cluster>, flight: Flight, outcome: Outcome, noted: bool) {
    if noted {
        let facts = Facts::of_one_that_never_ran(&flight);
        return settle(cluster, flight, outcome, facts).await;
    }
    cluster.log(&flight, &outcome);
    let results = without_results(flight.attempt, outcome, flight.job.submitted.elapsed());
    if is_worth_another(cluster, &flight, &results) {
        let why = results.detail.unwrap_or_default();
        return try_again(cluster, vec![Failed { flight, why }]);
    }
    cluster.flights().forget(flight.job.id);
    flight.job.reporter.ended(results, None);
}

impl Cluster {
    fn log(&self, flight: &Flight, outcome: &Outcome) {
        let (job, attempt) = (flight.job.name(), flight.attempt);
        if self.verbose {
            tracing::info!(%job, %attempt, %outcome, "ended");
        } else {
            tracing::debug!(%job, %attempt, %outcome, "ended");
        }
    }
}
