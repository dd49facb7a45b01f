//! Waiting before sbatch: for one's turn, or for the time of another attempt.

use std::sync::Arc;
use std::time::Duration;

use sortie_results::Outcome;
use sortie_slurm::Permit;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

use super::Cluster;
use super::conclude::give_up;
use super::flight::{Flight, Stop};

/// Waits while the circuit breaker is open or enough others are being submitted, and reports jobs that are
/// cancelled meanwhile.
pub(super) async fn wait_for_turn(
    cluster: &Arc<Cluster>,
    mut flights: Vec<Flight>,
) -> Option<(Vec<Flight>, SemaphorePermit<'_>)> {
    loop {
        flights = without_cancelled(cluster, flights).await;
        if flights.is_empty() {
            return None;
        }
        let Some(slot) = wait_for_slot(cluster, &flights).await else { continue };
        let permit = cluster.breaker().permit(Instant::now().into_std());
        let until = match permit {
            Permit::Go => return Some((flights, slot)),
            // One job is to show whether the way is clear; the others ask again.
            Permit::Try => {
                let rest = flights.split_off(1);
                if !rest.is_empty() {
                    cluster.launch(rest);
                }
                return Some((flights, slot));
            }
            Permit::Paused { until, why } => {
                let reason: Arc<str> = format!("submission is paused: {why}").into();
                for flight in &flights {
                    flight.job.reporter.pending(reason.clone());
                }
                until.into()
            }
        };
        drop(slot);
        flights = rest_all(cluster, flights, until).await;
    }
}

/// A place at sbatch; `None` if one of the jobs is cancelled first.
async fn wait_for_slot<'a>(
    cluster: &'a Cluster,
    flights: &[Flight],
) -> Option<SemaphorePermit<'a>> {
    let mut slot = std::pin::pin!(cluster.submissions.acquire());
    loop {
        // Before looking, so that no cancellation in between is missed.
        let cancelled = cluster.cancelled.notified();
        if cluster.flights().stops_any(flights) {
            return None;
        }
        tokio::select! {
            slot = &mut slot => return slot.ok(),
            () = cancelled => {}
        }
    }
}

/// Reports those jobs that are to be stopped, which Slurm does not have; the others.
async fn without_cancelled(cluster: &Arc<Cluster>, flights: Vec<Flight>) -> Vec<Flight> {
    let (stopped, going): (Vec<_>, Vec<_>) = {
        let all = cluster.flights();
        flights.into_iter().partition(|flight| all.stop(flight.job.id).is_some())
    };
    for flight in stopped {
        give_up(cluster, flight, Outcome::Cancelled, false).await;
    }
    going
}

/// Waits before another try, and reports jobs that are cancelled meanwhile; the others.
pub(super) async fn rest_all(
    cluster: &Arc<Cluster>,
    mut flights: Vec<Flight>,
    until: Instant,
) -> Vec<Flight> {
    loop {
        let cancelled = cluster.cancelled.notified();
        flights = without_cancelled(cluster, flights).await;
        if flights.is_empty() || Instant::now() >= until {
            return flights;
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = cancelled => {}
        }
    }
}

/// Whether waiting came to its end, or the job was cancelled meanwhile.
pub(super) async fn rest(cluster: &Cluster, job: crate::JobId, pause: Duration) -> Option<Stop> {
    timeout(pause, until_stopped(cluster, job)).await.ok()
}

/// Waits until the job is to be stopped, and tells why.
pub(super) async fn until_stopped(cluster: &Cluster, job: crate::JobId) -> Stop {
    loop {
        // Before looking, so that no cancellation in between is missed.
        let cancelled = cluster.cancelled.notified();
        if let Some(stop) = cluster.flights().stop(job) {
            return stop;
        }
        cancelled.await;
    }
}

/// Waits until all of the jobs are to be stopped.
pub(super) async fn all_cancelled(cluster: &Cluster, flights: &[Flight]) {
    loop {
        let cancelled = cluster.cancelled.notified();
        if cluster.flights().stops_all(flights) {
            return;
        }
        cancelled.await;
    }
}
