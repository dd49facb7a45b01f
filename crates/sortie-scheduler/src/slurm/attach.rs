//! Taking up a job again that another launcher has submitted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sortie_results::{Outcome, Place, Submitted};
use sortie_slurm::{Client, Ended, Ending, Error, JobId, JobName};
use tokio::sync::Mutex;

use super::Cluster;
use super::conclude::{conclude, give_up};
use super::flight::{Flight, Landed};
use super::submit::track;
use super::turn::rest;
use crate::executor::Job;

/// For so long after its submission a job that is not to be found may still appear.
const SETTLE: Duration = Duration::from_secs(60);
/// The pause between two looks for it.
const PAUSE: Duration = Duration::from_secs(5);

/// What was found of jobs by their names. The elements of an array have one name, and are thousands.
#[derive(Default)]
pub(super) struct Lookups(Mutex<HashMap<String, (Instant, Option<JobId>)>>);

impl Lookups {
    /// Looks a job up, one at a time, unless its name was looked up before or just now.
    async fn find(
        &self,
        client: &Client,
        name: &JobName,
        since: SystemTime,
    ) -> Result<Option<JobId>, Error> {
        let mut known = self.0.lock().await;
        if let Some((at, found)) = known.get(name.as_str())
            && (found.is_some() || at.elapsed() < PAUSE)
        {
            return Ok(found.clone());
        }
        let found = match client.find(name, since).await {
            // It is not in the queue, has left no record, and there is nobody else to ask.
            Err(Error::NoAccounting) => None,
            found => found?,
        };
        known.insert(name.as_str().to_owned(), (Instant::now(), found.clone()));
        Ok(found)
    }
}

impl Flight {
    fn of_another_launcher(job: Job, note: &Submitted, retries: u32) -> Self {
        let mut flight = Self::new(job, retries);
        flight.since = note.time();
        flight.script = note.script.clone().into();
        flight.first = note.job_name.strip_prefix("sortie-").and_then(|first| first.parse().ok());
        flight
    }
}

/// Finds the job and has it watched, or sees to its end at once.
pub(super) async fn attach(cluster: Arc<Cluster>, job: Job, note: Submitted) {
    let mut flight = Flight::of_another_launcher(job, &note, cluster.plan.retries());
    let dir = cluster.plan.here.cwd.join(&flight.job.paths.results_dir);
    flight.place = cluster.ask(&flight, move || Place::of(&dir)).await;
    if flight.place.is_none() {
        return cluster.end_unread(flight, Outcome::Cancelled);
    }
    let stop = loop {
        match find(&cluster, &flight, &note).await {
            Ok(Some(id)) => {
                if track(&cluster, &id, flight) {
                    cluster.scancel(vec![id]);
                }
                return;
            }
            // A look that is given up has found nothing.
            Ok(None) if cluster.flights().stop(flight.job.id).is_some() => {}
            Ok(None) if flight.since.elapsed().is_ok_and(|age| age >= SETTLE) => {
                // It never came to Slurm, or Slurm has forgotten it and it left no record.
                let lost = Ended { how: Ending::Lost, recorded: false, info: None };
                let landed = Landed { flight, id: None, stop: None, reason: None };
                return conclude(cluster, landed, lost).await;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot look a job up; trying again");
                let reason = format!("cannot be looked up: {error}");
                flight.job.reporter.pending(reason.into());
            }
        }
        if let Some(stop) = rest(&cluster, flight.job.id, PAUSE).await {
            break stop;
        }
    };
    tracing::debug!(?stop, "cancelled before it was found");
    if let Ok(name) = JobName::new(&note.job_name)
        && note.element.is_none()
    {
        // It may yet be there.
        let _ = cluster.client.cancel_named(&name).await;
    }
    give_up(&cluster, flight, Outcome::Cancelled, true).await;
}

/// The job's id with Slurm: from its own records, or looked up by its name.
async fn find(
    cluster: &Cluster,
    flight: &Flight,
    note: &Submitted,
) -> Result<Option<JobId>, Error> {
    let place = flight.place(&cluster.plan.here.cwd);
    let attempt = note.attempt;
    let look = move || match place.job_start(attempt) {
        Ok(None) => place.job_end(attempt).map(|end| end.map(|end| end.start)),
        start => start,
    };
    let Some(start) = cluster.ask(flight, look).await else { return Ok(None) };
    // Slurm knows it by its name, too.
    let start = start.inspect_err(|error| tracing::warn!("{error}")).ok().flatten();
    if let Some(id) = start.and_then(|start| start.job_id.parse().ok()) {
        return Ok(Some(id));
    }
    let Ok(name) = JobName::new(&note.job_name) else { return Ok(None) };
    let id = cluster.lookups.find(&cluster.client, &name, flight.since).await?;
    Ok(id.map(|id| note.element.map_or(id.clone(), |element| id.element(element))))
}
