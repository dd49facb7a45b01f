//! From taken jobs to jobs in Slurm's hands.

use std::sync::Arc;
use std::time::Duration;

use sortie_model::names;
use sortie_results::{End, Fault, Outcome};
use sortie_slurm::{
    Advice, Ended, Ending, Evidence, JobId, Retry, Site, Submission, SubmitError, Tracked,
};
use tokio::time::{Instant, timeout};

use super::Cluster;
use super::conclude::{conclude, give_up, settle_all, slurms_words};
use super::files::answering;
use super::flight::{Flight, Landed};
use super::killing::Killing;
use super::outcome::is_of_signal;
use super::plan::Plan;
use super::prepare::{Prepared, Refused, prepare};
use super::room::wait_for_room;
use super::turn::{all_cancelled, wait_for_turn};
use crate::descriptors::open_at_once;

/// The largest array, where the cluster does not say: slurm.conf(5), `MaxArraySize`, less one.
const LARGEST_ARRAY: usize = 1000;
/// What of a script may be for its jobs, in bytes: Slurm refuses one of more than 4 MiB
/// (slurm.conf(5), `max_script_size`), and the rest is the environment.
const FOR_JOBS: usize = 2 << 20;
/// For so long sbatch goes on once its jobs are cancelled: its next answer comes within ten seconds
/// (slurm.conf(5), `MessageTimeout`), if any comes.
const LAST_WORDS: Duration = Duration::from_secs(12);
/// For so long the submission of one job is put off to learn what the site is like.
const SITE: Duration = Duration::from_secs(10);
/// A job that was handed in appears in the queue within this time, if ever.
const SETTLE: Duration = Duration::from_secs(15);

/// Submits jobs: one by itself, many as job arrays.
pub(super) async fn submit(cluster: Arc<Cluster>, mut flights: Vec<Flight>) {
    let site = site(&cluster, &flights).await;
    if let Some(site) = site {
        cluster.plan.heed_kill_wait(site.kill_wait);
    }
    let largest = site.map_or(LARGEST_ARRAY, |site| site.max_array_size as usize).max(1);
    while flights.len() > 1 {
        let rest = flights.split_off(array_of(&cluster.plan, &flights, largest));
        let chunk = std::mem::replace(&mut flights, rest);
        // Each by itself, as one may have to wait for long.
        cluster.runtime.spawn(submit_as_one(cluster.clone(), chunk));
    }
    if !flights.is_empty() {
        submit_as_one(cluster, flights).await;
    }
}

/// What the cluster is like, if it says so. Without that, no array is known to be small enough; one job waits for
/// it less long.
async fn site<'a>(cluster: &'a Cluster, flights: &[Flight]) -> Option<&'a Site> {
    let site = cluster.client.site();
    let site = if flights.len() > 1 { site.await } else { timeout(SITE, site).await.ok()? };
    site.inspect_err(|error| tracing::debug!(%error, "the site is not known")).ok()
}

/// How many of the jobs go into one array: at least one.
fn array_of(plan: &Plan, flights: &[Flight], largest: usize) -> usize {
    let mut room = FOR_JOBS;
    let mut fits = |flight: &&Flight| {
        let needed = plan.script_bytes(&flight.job.paths);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    // Until it is handed in, each has its results dir open.
    let most = flights.first().map_or(1, |first| first.together).min(largest).min(open_at_once());
    flights.iter().take(most).take_while(&mut fits).count().max(1)
}

async fn submit_as_one(cluster: Arc<Cluster>, flights: Vec<Flight>) {
    let Some((flights, slot)) = wait_for_turn(&cluster, flights).await else { return };
    let flights = answering(&cluster, flights).await;
    let Some(first) = flights.first() else { return };
    let dir = first.job.paths.results_dir.clone();
    let preparing = {
        let cluster = cluster.clone();
        move || prepare(&cluster.plan, cluster.consent, flights)
    };
    // It panics for no input, and what it held is reported as lost if it does.
    let Some((prepared, refused)) = cluster.files.run(&dir, || (), preparing).await else { return };
    for Refused { flight, outcome, noted } in refused {
        give_up(&cluster, flight, outcome, noted).await;
    }
    let Some(Prepared { submission, flights }) = prepared else { return };
    if cluster.flights().stops_all(&flights) {
        return settle_all(&cluster, flights, &Outcome::Cancelled).await;
    }
    let submitted = hand_in_with_room(&cluster, &submission, &flights).await;
    drop(slot);
    match submitted {
        Some(HandedIn::Taken(id)) => took_off(&cluster, &id, flights),
        Some(HandedIn::Refused { error, room }) => refuse(&cluster, flights, &error, room).await,
        None => find_out(&cluster, &submission.name, flights).await,
    }
}

/// What became of jobs that were handed in.
enum HandedIn {
    Taken(JobId),
    /// `room` says how many of them Slurm would take, where it has no room for all.
    Refused {
        error: SubmitError,
        room: Option<usize>,
    },
}

/// Submits the jobs. If Slurm has no room for all of them, waits for it and tries again. `None` if all are cancelled before
/// it is known whether they were submitted.
async fn hand_in_with_room(
    cluster: &Cluster,
    submission: &Submission,
    flights: &[Flight],
) -> Option<HandedIn> {
    let mut retry = Retry::default();
    let until = Instant::now() + retry.full_for;
    let is_array = flights.len() > 1;
    if is_array {
        retry.full_for = Duration::ZERO; // how many of them there is room for is asked then
    }
    loop {
        let error = match hand_in(cluster, submission, flights, &retry).await? {
            Ok(id) => return Some(HandedIn::Taken(id)),
            Err(error) => error,
        };
        let full =
            matches!(&error, SubmitError::GaveUp { cause, .. } if cause.advice() == Advice::Wait);
        if !is_array || !full {
            return Some(HandedIn::Refused { error, room: None });
        }
        let room = wait_for_room(cluster, submission, flights, until).await;
        if room != Some(flights.len()) {
            return Some(HandedIn::Refused { error, room });
        }
        // Should it be refused again, it is not asked for less often than one job is.
        retry.first = (retry.first * 2).min(retry.longest);
    }
}

/// Hands the jobs in, and goes on until it is known what became of that; `None` if all of them are cancelled
/// before it is.
async fn hand_in(
    cluster: &Cluster,
    submission: &Submission,
    flights: &[Flight],
    retry: &Retry,
) -> Option<Result<JobId, SubmitError>> {
    let mut submitting = std::pin::pin!(cluster.client.submit(submission, retry));
    cluster.flights().submitting(&submission.name);
    let submitted = tokio::select! {
        biased;
        submitted = &mut submitting => Some(submitted),
        () = all_cancelled(cluster, flights) => timeout(LAST_WORDS, &mut submitting).await.ok(),
    };
    cluster.flights().submitted(&submission.name);
    submitted
}

/// Slurm has the jobs.
fn took_off(cluster: &Arc<Cluster>, id: &JobId, flights: Vec<Flight>) {
    let is_array = flights.len() > 1;
    let mut to_cancel = Vec::new();
    for (element, flight) in (0..).zip(flights) {
        let id = if is_array { id.element(element) } else { id.clone() };
        if track(cluster, &id, flight) {
            to_cancel.push(id);
        }
    }
    cluster.scancel(to_cancel);
}

/// Has a job watched that Slurm has; whether it is to be cancelled at once.
pub(super) fn track(cluster: &Arc<Cluster>, id: &JobId, flight: Flight) -> bool {
    let tracked =
        Tracked { id: id.clone(), submitted: flight.since, look: look(cluster, id, &flight) };
    let stop = cluster.flights().took_off(id, flight);
    cluster.watcher.track(tracked);
    stop
}

/// Looks for the record of the job's end, and has the queue listed soon where there will be none.
fn look(cluster: &Arc<Cluster>, id: &JobId, flight: &Flight) -> sortie_slurm::Look {
    let place = flight.place(&cluster.plan.here.cwd);
    let attempt = flight.attempt;
    let (dir, name) = slurms_words(flight, Some(id))
        .unwrap_or_else(|| (place.results_dir().to_owned(), names::STDERR.to_owned()));
    let killing = Killing::by(dir, name);
    let cluster = Arc::downgrade(cluster);
    Arc::new(move || {
        if !place.may_have_ended() {
            if killing.is_new()
                && let Some(cluster) = cluster.upgrade()
            {
                cluster.watcher.hurry();
            }
            return Evidence::None;
        }
        // One that cannot be read may be read later. When Slurm says that the job is over, it is told what is wrong.
        let record = place.job_end(attempt).ok().flatten();
        match record.map(|record| record.end) {
            None => Evidence::None,
            // Who stopped it, and whether it was for its use of memory, is for Slurm to say.
            Some(End::Terminated { .. } | End::Restarted | End::Signaled { signal: 9 | 15 }) => {
                Evidence::NeedsState
            }
            Some(End::Exited { code }) if is_of_signal(code) => Evidence::NeedsState,
            Some(_) => Evidence::Complete,
        }
    })
}

/// Slurm does not have the jobs, or it is not known whether it does.
async fn refuse(
    cluster: &Arc<Cluster>,
    mut flights: Vec<Flight>,
    error: &SubmitError,
    room: Option<usize>,
) {
    let reason = error.to_string();
    let fault = match error {
        SubmitError::InDoubt { name, .. } => {
            tracing::warn!(job = %name, %error, "finding out");
            return find_out(cluster, name, flights).await;
        }
        SubmitError::Refused(_) => Fault::Setup,
        SubmitError::GaveUp { .. } => {
            for flight in &mut flights {
                if let Some(room) = room {
                    (flight.together, flight.retries) = (room, flight.retries + 1);
                }
            }
            Fault::Infrastructure
        }
    };
    settle_all(cluster, flights, &Outcome::SubmitFailed { reason, fault }).await;
}

/// Finds out whether Slurm has the jobs, for however long it takes: before that, neither may others take their
/// place, nor their results dirs be free.
async fn find_out(cluster: &Arc<Cluster>, name: &sortie_slurm::JobName, flights: Vec<Flight>) {
    let Some(since) = flights.first().map(|flight| flight.since) else { return };
    let begun = Instant::now();
    let mut pause = Duration::from_secs(3);
    loop {
        match cluster.client.find(name, since).await {
            Ok(Some(id)) => return took_off(cluster, &id, flights),
            Ok(None) if begun.elapsed() >= SETTLE => break,
            Ok(None) => {}
            // It is not in the queue, and nobody knows of anything else.
            Err(error) if error.advice() == Advice::Report && begun.elapsed() >= SETTLE => break,
            Err(error) => {
                tracing::warn!(job = %name, %error, "cannot look a job up; trying again");
                pause = (pause * 2).min(Duration::from_secs(60));
            }
        }
        tokio::time::sleep(pause).await;
    }
    for flight in flights {
        let lost = Ended { how: Ending::Lost, recorded: false, info: None };
        let stop = cluster.flights().stop(flight.job.id);
        conclude(cluster.clone(), Landed { flight, id: None, stop, reason: None }, lost).await;
    }
}
