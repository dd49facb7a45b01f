//! From a job's end to its result in hand.

use std::{collections::HashMap, time::SystemTime};

use anyhow::{Context, Result, bail, ensure};
use sortie_results::Place;
use sortie_scheduler::{Event, JobId, JobScheduler};

use super::{
    Figure, Target, Unit,
    site::{Desk, Site},
};

const JOBS: u32 = 200;
/// The longest job takes so many seconds.
const LONGEST: f64 = 4.0;

pub(super) fn figures(site: &Site<'_>) -> Result<Vec<Figure>> {
    let desk = site.desk()?;
    let mut sorted =
        site.measure(async { latencies(&desk, &desk.scheduler(Desk::config())?).await })?;
    sorted.sort_by(f64::total_cmp);
    let last_but_one_percent = sorted[sorted.len() * 99 / 100];
    let figure = |which: &str, sortie, target| Figure {
        what: format!("from a job's end to its result in hand, {which} of {JOBS}"),
        unit: Unit::SecondsPerJob,
        sortie,
        other: None,
        target: Target::ValueAtMost(target),
    };
    Ok(vec![
        figure("median", sorted, 0.4),
        figure("99th percentile", vec![last_but_one_percent], 1.5),
    ])
}

/// In seconds. The node's clock is that of this machine.
async fn latencies(desk: &Desk, scheduler: &JobScheduler) -> Result<Vec<f64>> {
    let mut events = scheduler.events();
    let candidate = |job| desk.candidate(LONGEST * f64::from(job) / f64::from(JOBS));
    let candidates = (0..JOBS).map(candidate).collect::<Result<Vec<_>>>()?;
    let jobs = desk.submit_many(scheduler, candidates)?;
    let dirs: HashMap<JobId, _> =
        jobs.into_iter().enumerate().map(|(at, job)| (job, desk.results_dir(at))).collect();
    let mut latencies = Vec::new();
    while latencies.len() < dirs.len() {
        let (job, finished) = match events.next().await {
            Some(Event::Finished { job, finished }) => (job, finished),
            Some(Event::Missed(_)) | None => bail!("events are missing"),
            Some(_) => continue,
        };
        let results = scheduler.results(job)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
        ensure!(results.correct, "{job}: {}, {:?}", finished.outcome, finished.fault);
        let end = Place::of(&dirs[&job]).job_end(finished.attempt)?;
        latencies.push(now - end.context("a job has left no record of its end")?.ended_at);
    }
    Ok(latencies)
}
