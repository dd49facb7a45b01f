//! The demo: a real evaluator on candidates of differing quality, several at once.
//!
//! Fails if a candidate comes to another end than it should, or if a process is left.

mod candidates;
mod mark;
mod progress;
mod table;

use std::{collections::HashMap, fs, io, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use sortie_config::{JobConfig, LocalJobConfig};
use sortie_results::Results;
use sortie_scheduler::{Event, JobId, JobScheduler, SchedulerOptions};
use tokio::time::{MissedTickBehavior, interval};

use crate::workspace;
use candidates::{CANDIDATES, Candidate};
use mark::Mark;
use progress::Progress;

/// The example the demo is of, in the workspace.
const EXAMPLE: &str = "examples/circle-packing";
/// Where the results go, in the workspace.
const RESULTS: &str = "target/demo";
/// How often the progress is drawn and the processes are counted.
const TICK: Duration = Duration::from_millis(100);

/// Where the candidates are evaluated.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Place {
    /// On this machine
    Local,
}

/// A candidate and what became of it.
struct Row {
    candidate: &'static Candidate,
    results: Results,
}

/// Evaluates all candidates and shows how they rank.
pub(crate) fn run(place: Place) -> Result<()> {
    let results_dir = workspace::root().join(RESULTS);
    remove(&results_dir)?;
    let mark = Mark::new();
    let config = match place {
        Place::Local => local(&mark)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (rows, most) = runtime.block_on(evaluate(config, &results_dir, &mark))?;
    let left = mark.count()?;

    println!("{}", table::ranking(&rows));
    println!("results: in {RESULTS}");
    println!("processes left: {left} (while they ran: up to {most} at once)");
    ensure!(most > 0, "no process was ever seen, so none would have been seen if it was left");
    ensure!(left == 0, "{left} processes are left, with {mark} in their environment");
    let unexpected: Vec<_> = rows.iter().filter_map(Row::unexpected).collect();
    ensure!(unexpected.is_empty(), "{}", unexpected.join("; "));
    Ok(())
}

/// The example's settings, for jobs that start anywhere.
fn local(mark: &Mark) -> Result<JobConfig> {
    let example = workspace::root().join(EXAMPLE);
    let JobConfig::Local(config) = JobConfig::load(&example.join("job.yaml"))? else {
        bail!("{EXAMPLE}/job.yaml is expected to be of local jobs");
    };
    let mut environment = config.environment;
    mark.set(&mut environment);
    let eval_program_path = example.join(config.eval_program_path);
    Ok(LocalJobConfig { eval_program_path, environment, ..config }.into())
}

/// Runs all candidates to their end: what became of them, and how many of their processes were seen
/// at once.
async fn evaluate(config: JobConfig, results_dir: &Path, mark: &Mark) -> Result<(Vec<Row>, usize)> {
    let scheduler = JobScheduler::new(config.job_type(), config, SchedulerOptions::default())?;
    let mut events = scheduler.events();
    let progress = Progress::new(CANDIDATES);
    let jobs = submit(&scheduler, results_dir)?;
    let (mut rows, mut most) = (Vec::new(), 0);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while rows.len() < jobs.len() {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Submitted { .. }) => {}
                Some(Event::Pending { job, reason }) => progress.pending(jobs[&job], &reason),
                Some(Event::Started { job }) => progress.started(jobs[&job]),
                Some(Event::Finished { job, .. }) => {
                    let row = Row { candidate: jobs[&job], results: scheduler.results(job)? };
                    progress.finished(&row);
                    rows.push(row);
                }
                Some(Event::Missed(_)) | None => bail!("events are missing"),
            },
            _ = ticks.tick() => most = most.max(mark.count()?),
        }
    }
    scheduler.shutdown().await;
    Ok((rows, most))
}

fn submit(
    scheduler: &JobScheduler,
    results_dir: &Path,
) -> Result<HashMap<JobId, &'static Candidate>> {
    let candidates = workspace::root().join(EXAMPLE).join("candidates");
    let submit = |candidate: &'static Candidate| {
        let program = candidates.join(format!("{}.py", candidate.name));
        Ok((scheduler.submit(program, results_dir.join(candidate.name))?, candidate))
    };
    CANDIDATES.iter().map(submit).collect()
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
