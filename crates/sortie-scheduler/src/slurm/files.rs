//! Files of Slurm jobs, beside the runtime: a results dir whose file system does not answer holds up its own job alone, and not
//! for ever once that is to be stopped.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sortie_results::Outcome;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Cluster;
use super::conclude::give_up;
use super::flight::Flight;
use super::turn::until_stopped;
use crate::executor::without_results;
use crate::hangs::{HANGS, STOPPING, unread};

/// For so long jobs that are to be submitted together wait for the file systems of each other.
const TOGETHER: Duration = Duration::from_secs(2);

impl Cluster {
    /// Makes a call for a job, which may hang: its answer; `None` if the job is to be stopped and there is none soon, or
    /// if the call panics.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        flight: &Flight,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let stopped = async {
            until_stopped(self, flight.job.id).await;
            sleep(STOPPING).await;
        };
        tokio::select! {
            biased;
            answer = self.files.run(&flight.job.paths.results_dir, || (), call) => answer,
            () = stopped => None,
        }
    }

    /// Tells the end of a job that is to be stopped and whose files do not answer. Its note stays: another launcher may
    /// find more.
    pub(super) fn end_unread(&self, flight: Flight, outcome: Outcome) {
        let outcome = if outcome == Outcome::Cancelled {
            outcome
        } else {
            unread(&flight.job.paths.results_dir)
        };
        self.flights().forget(flight.job.id);
        let results = without_results(flight.attempt, outcome, flight.job.submitted.elapsed());
        flight.job.reporter.ended(results, None);
    }
}

/// Those of the jobs whose file systems answer. The others are submitted when theirs does.
pub(super) async fn answering(cluster: &Arc<Cluster>, flights: Vec<Flight>) -> Vec<Flight> {
    let Some(first) = flights.first() else { return flights };
    let dir = first.job.paths.results_dir.clone();
    let all: Vec<_> = flights.iter().map(|flight| files_of(cluster, flight)).collect();
    let look_at_all = cluster.files.run(&dir, || (), move || all.iter().for_each(look_at));
    if timeout(TOGETHER, look_at_all).await.is_ok() {
        return flights;
    }
    let (sender, mut answered) = unbounded_channel();
    for flight in flights {
        cluster.runtime.spawn(wait_for(cluster.clone(), flight, sender.clone()));
    }
    drop(sender);
    let (until, mut answering) = (Instant::now() + TOGETHER, Vec::new());
    while let Ok(Some(flight)) = timeout_at(until, answered.recv()).await {
        answering.push(flight);
    }
    answered.close();
    while let Some(flight) = answered.recv().await {
        answering.push(flight);
    }
    answering
}

/// Hands a job on when its file system answers, or has it submitted by itself where that is too late.
async fn wait_for(cluster: Arc<Cluster>, flight: Flight, answered: UnboundedSender<Flight>) {
    let files = files_of(&cluster, &flight);
    flight.job.reporter.pending(HANGS.into());
    if cluster.ask(&flight, move || look_at(&files)).await.is_none() {
        return give_up(&cluster, flight, Outcome::Cancelled, false).await;
    }
    if let Err(late) = answered.send(flight) {
        cluster.launch(vec![late.0]);
    }
}

/// The candidate and the results dir of a job.
fn files_of(cluster: &Cluster, flight: &Flight) -> (PathBuf, PathBuf) {
    let (cwd, paths) = (&cluster.plan.here.cwd, &flight.job.paths);
    (cwd.join(&paths.candidate), cwd.join(&paths.results_dir))
}

/// Touches what preparing a job will touch. What is wrong with it will be told by that.
fn look_at((candidate, results_dir): &(PathBuf, PathBuf)) {
    let _ = fs::metadata(candidate);
    for dir in results_dir.parent().into_iter().chain([results_dir.as_path()]) {
        let _ = fs::read_dir(dir);
    }
}
