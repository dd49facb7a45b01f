//! How often Slurm is asked while many jobs are in flight.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use sortie_scheduler::{JobId, JobScheduler, Status};

use super::{
    super::venv,
    Figure, Other, REFERENCE, Target, Unit,
    site::{Call, Desk, Site},
};
use crate::workspace;

const JOBS: usize = 200;
const MINUTE: Duration = Duration::from_secs(60);
/// Calls that begin within so many seconds of each other belong to one poll.
const TOGETHER: f64 = 1.0;

/// Both launchers look after the same jobs in the same minute, each with commands of its own.
pub(super) fn figures(site: &Site<'_>) -> Result<Vec<Figure>> {
    let (desk, reference) = (site.desk()?, site.desk()?);
    let (ours, theirs) = site.measure(a_minute(site, &desk, &reference))?;
    let figure = |what: String, sortie, other, target| {
        let other = Some(Other { name: REFERENCE, values: other });
        Figure { what, unit: Unit::Calls, sortie, other, target }
    };
    Ok(vec![
        figure(
            format!("squeue calls a poll, {JOBS} jobs in flight"),
            polls(&ours),
            polls(&theirs),
            Target::ValueAtMost(1.0),
        ),
        figure(
            "all calls of Slurm's commands in that minute".to_owned(),
            vec![count(&ours)],
            vec![count(&theirs)],
            Target::None,
        ),
    ])
}

/// The calls of sortie, and of the reference.
async fn a_minute(
    site: &Site<'_>,
    desk: &Desk,
    reference: &Desk,
) -> Result<(Vec<Call>, Vec<Call>)> {
    let scheduler = desk.scheduler(Desk::config())?;
    let jobs = desk.submit_many(&scheduler, vec![desk.candidate(600.0)?; JOBS])?;
    desk.nth_call("sbatch", 0).await?;
    let mut polling = start_reference(site, reference)?;
    tokio::time::sleep(MINUTE).await;
    let calls = desk.calls()?;
    let in_flight = ensure_in_flight(&scheduler, &jobs);
    let status = polling.wait()?;
    in_flight?;
    ensure!(status.success(), "the reference fails, see its errors above: {status}");
    Ok((calls, reference.calls()?))
}

/// Has the reference ask for the jobs in the queue, every ten seconds for a minute.
fn start_reference(site: &Site<'_>, desk: &Desk) -> Result<std::process::Child> {
    let queue = site.slurm("squeue").args(["--noheader", "--array", "--me", "--format=%i"]);
    let ids = queue.read()?;
    ensure!(ids.lines().count() == JOBS, "{} jobs are in the queue", ids.lines().count());
    let python = venv::with(site.sh, "reference", super::super::reference::PACKAGE)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "runs beside the measurement, with an environment"
    )]
    let mut command = Command::new(python);
    command
        .arg(workspace::root().join("xtask/src/bench/slurm/reference.py"))
        .args(ids.lines())
        .env_clear()
        .envs(desk.env())
        .stdin(Stdio::null());
    command.spawn().context("cannot run the reference")
}

fn ensure_in_flight(scheduler: &JobScheduler, jobs: &[JobId]) -> Result<()> {
    for status in scheduler.status_many(jobs) {
        match status.context("a job is forgotten")? {
            Status::Queued { .. } | Status::Running { .. } => {}
            Status::Finished(over) => {
                bail!("a job is over before the minute is: {}, {:?}", over.outcome, over.fault);
            }
        }
    }
    Ok(())
}

/// Of each poll, how many calls of squeue it took.
fn polls(calls: &[Call]) -> Vec<f64> {
    let mut starts: Vec<_> =
        calls.iter().filter(|call| call.command == "squeue").map(|call| call.from).collect();
    starts.sort_by(f64::total_cmp);
    starts.chunk_by(|one, next| next - one < TOGETHER).map(|poll| number(poll.len())).collect()
}

fn count(calls: &[Call]) -> f64 {
    number(calls.len())
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(count: usize) -> f64 {
    count as f64
}
