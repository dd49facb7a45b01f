//! Taking up a job again that another launcher has submitted.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sortie_results::{JobEnd, JobStart, Outcome, Submitted};
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
    fn of_another_launcher(job: Job, cwd: &Path, note: &Submitted, retries: u32) -> Self {
        let mut flight = Self::new(job, retries);
        flight.place = Some(flight.place(cwd));
        flight.since = note.time();
        flight.script = note.script.clone().into();
        flight.first = note.job_name.strip_prefix("sortie-").and_then(|first| first.parse().ok());
        flight
    }
}

/// Finds the job and has it watched, or sees to its end at once.
pub(super) async fn attach(cluster: Arc<Cluster>, job: Job, note: Submitted) {
    let (cwd, retries) = (&cluster.plan.here.cwd, cluster.plan.retries());
    let flight = Flight::of_another_launcher(job, cwd, &note, retries);
    let stop = loop {
        match find(&cluster, &flight, &note).await {
            Ok(Some(id)) => {
                if track(&cluster, &id, flight) {
                    cluster.scancel(vec![id]);
                }
                return;
            }
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
    let start = match JobStart::at(&place, note.attempt) {
        Ok(None) => JobEnd::at(&place, note.attempt).map(|end| end.map(|end| end.start)),
        start => start,
    };
    // Slurm knows it by its name, too.
    let start = start.inspect_err(|error| tracing::warn!("{error}")).ok().flatten();
    if let Some(id) = start.and_then(|start| start.job_id.parse().ok()) {
        return Ok(Some(id));
    }
    let Ok(name) = JobName::new(&note.job_name) else { return Ok(None) };
    let id = cluster.lookups.find(&cluster.client, &name, flight.since).await?;
    Ok(id.map(|id| note.element.map_or(id.clone(), |element| id.element(element))))
}
