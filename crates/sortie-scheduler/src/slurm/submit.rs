//! From taken jobs to jobs in Slurm's hands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sortie_results::{End, Fault, JobEnd, Outcome, ResultsDir};
use sortie_slurm::{Evidence, JobId, Permit, Retry, SubmitError, Tracked};

use super::Cluster;
use super::conclude::{Facts, give_up, settle};
use super::flight::{Flight, Stop};
use super::prepare::{Prepared, Refused, prepare};

/// The largest array, where the cluster does not say: slurm.conf(5), `MaxArraySize`, less one.
const LARGEST_ARRAY: usize = 1000;
/// Scripts larger than 4 MiB are refused by Slurm (slurm.conf(5), `max_script_size`), and one element of an
/// array takes less than this even with long paths.
const ELEMENT: usize = 16 << 10;
const SCRIPT: usize = 4 << 20;

/// Submits jobs: one by itself, many as job arrays.
pub(super) async fn submit(cluster: Arc<Cluster>, mut flights: Vec<Flight>) {
    let largest = if flights.len() > 1 { largest_array(&cluster).await } else { 1 };
    while !flights.is_empty() {
        let rest = flights.split_off(flights.len().min(largest));
        let chunk = std::mem::replace(&mut flights, rest);
        submit_as_one(&cluster, chunk).await;
    }
}

async fn largest_array(cluster: &Cluster) -> usize {
    let site = cluster.client.site().await;
    let largest = site.map_or(LARGEST_ARRAY, |site| site.max_array_size as usize);
    largest.clamp(1, SCRIPT / ELEMENT * 4)
}

async fn submit_as_one(cluster: &Arc<Cluster>, flights: Vec<Flight>) {
    let flights = wait_for_permit(cluster, flights).await;
    if flights.is_empty() {
        return;
    }
    let preparing = {
        let cluster = cluster.clone();
        tokio::task::spawn_blocking(move || prepare(&cluster.plan, flights))
    };
    // It panics for no input, and what it held is reported as lost if it does.
    let Ok((prepared, refused)) = preparing.await else { return };
    for Refused { flight, outcome, claimed } in refused {
        give_up(cluster, flight, outcome, claimed).await;
    }
    let Some(Prepared { submission, flights }) = prepared else { return };
    let Ok(_permit) = cluster.submissions.acquire().await else { return };
    match cluster.client.submit(&submission, &Retry::default()).await {
        Ok(id) => took_off(cluster, &id, flights),
        Err(error) => refuse(cluster, flights, &error).await,
    }
}

/// Waits while the circuit breaker is open, and reports jobs that are cancelled meanwhile.
async fn wait_for_permit(cluster: &Arc<Cluster>, mut flights: Vec<Flight>) -> Vec<Flight> {
    loop {
        // Before looking, so that no cancellation in between is missed.
        let cancelled = cluster.cancelled.notified();
        let (stopped, going): (Vec<_>, Vec<_>) =
            flights.into_iter().partition(|flight| cluster.flights().stop(flight.job.id).is_some());
        flights = going;
        for flight in stopped {
            give_up(cluster, flight, Outcome::Cancelled, false).await;
        }
        if flights.is_empty() {
            return flights;
        }
        let permit = cluster.breaker().permit(Instant::now());
        let until = match permit {
            Permit::Go => return flights,
            // One job is to show whether the way is clear; the others ask again.
            Permit::Try => {
                let rest = flights.split_off(1);
                if !rest.is_empty() {
                    cluster.launch(rest);
                }
                return flights;
            }
            Permit::Paused { until, why } => {
                let reason: Arc<str> = format!("submission is paused: {why}").into();
                for flight in &flights {
                    flight.job.reporter.pending(reason.clone());
                }
                until
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = cancelled => {}
        }
    }
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
pub(super) fn track(cluster: &Cluster, id: &JobId, flight: Flight) -> bool {
    let tracked = Tracked { id: id.clone(), submitted: flight.since, look: look(cluster, &flight) };
    let stop = cluster.flights().took_off(id, flight);
    cluster.watcher.track(tracked);
    stop
}

/// Looks for the record of the job's end.
fn look(cluster: &Cluster, flight: &Flight) -> sortie_slurm::Look {
    let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
    let attempt = flight.attempt;
    Arc::new(move || {
        if !ResultsDir::may_have_ended(&dir) {
            return Evidence::None;
        }
        let record = JobEnd::load(&dir, attempt).ok().flatten();
        match record.map(|record| record.end) {
            None => Evidence::None,
            // Who stopped it, and whether it was for its use of memory, is for Slurm to say.
            Some(End::Terminated { .. } | End::Restarted | End::Signaled { signal: 9 }) => {
                Evidence::NeedsState
            }
            Some(_) => Evidence::Complete,
        }
    })
}

/// Slurm does not have the jobs, or it is not known whether it does.
async fn refuse(cluster: &Arc<Cluster>, flights: Vec<Flight>, error: &SubmitError) {
    let outcome = match error {
        SubmitError::Refused(_) => {
            Outcome::SubmitFailed { reason: error.to_string(), fault: Fault::Setup }
        }
        SubmitError::GaveUp { .. } => {
            Outcome::SubmitFailed { reason: error.to_string(), fault: Fault::Infrastructure }
        }
        SubmitError::InDoubt { name, .. } => {
            cancel_in_doubt(cluster, name).await;
            Outcome::Lost { reason: error.to_string() }
        }
    };
    for flight in flights {
        let facts = Facts::of_one_that_never_ran(&flight);
        settle(cluster, flight, outcome.clone(), facts).await;
    }
}

/// Makes sure that no job is left that may have been submitted.
async fn cancel_in_doubt(cluster: &Cluster, name: &sortie_slurm::JobName) {
    let mut pause = Duration::from_secs(5);
    while let Err(error) = cluster.client.cancel_named(name).await {
        tracing::warn!(job = %name, %error, "cannot cancel a job that may be there; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(300));
    }
}

/// Whether waiting before another attempt came to its end, or the job was cancelled meanwhile.
pub(super) async fn rest(cluster: &Cluster, job: crate::JobId, pause: Duration) -> Option<Stop> {
    let until = tokio::time::Instant::now() + pause;
    loop {
        let cancelled = cluster.cancelled.notified();
        let stop = cluster.flights().stop(job);
        if stop.is_some() || tokio::time::Instant::now() >= until {
            return stop;
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = cancelled => {}
        }
    }
}
