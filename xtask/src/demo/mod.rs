//! The demo: a real evaluator on candidates of differing quality, several at once.
//!
//! Fails if a candidate comes to another end than it should, or if a process, a job or a container is
//! left.

mod candidates;
mod containers;
mod mark;
mod progress;
mod queue;
mod settings;
mod table;

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Result, anyhow, bail, ensure};
use clap::ValueEnum;
use sortie_results::Results;
use sortie_scheduler::{Event, JobId, JobScheduler};
use tokio::time::{MissedTickBehavior, interval};
use xshell::Shell;

use crate::{
    docker::{self, Engine},
    private,
    slurm::{self, Cluster, Flavour},
    workspace,
};
use candidates::{CANDIDATES, Candidate};
use containers::Containers;
use mark::Mark;
use progress::Progress;
use settings::Settings;

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
    /// On a private Slurm, which is started unless it is up (`cargo xtask slurm`)
    Slurm,
    /// The same in containers of a private Docker engine, which is started too (`cargo xtask docker`)
    Docker,
}

/// A candidate and what became of it.
struct Row {
    candidate: &'static Candidate,
    results: Results,
}

/// What was seen of a run of all candidates.
struct Seen {
    rows: Vec<Row>,
    /// The most processes of theirs at once.
    most: usize,
}

/// What is there after all have ended.
struct Left {
    processes: usize,
    /// In Slurm's queue; nothing is known of it where there is none.
    jobs: Option<usize>,
    /// Those of the candidates, where they ran in some.
    containers: Option<Containers>,
}

/// Evaluates all candidates and shows how they rank.
pub(crate) fn run(sh: &Shell, place: Place) -> Result<()> {
    let mark = Mark::new();
    match place {
        Place::Local => {
            let seen = Seen::of(Settings::local(&mark)?, &mark)?;
            seen.show(&Left { processes: mark.count()?, jobs: None, containers: None })
        }
        Place::Slurm => slurm::with(sh, Flavour::Plain, |cluster| {
            with_slurm(sh, cluster, Settings::slurm(&mark, cluster)?, &mark, None)
        }),
        Place::Docker => docker::with(sh, |engine| {
            slurm::with(sh, Flavour::Plain, |cluster| {
                let settings = Settings::docker(&mark, cluster, engine)?;
                with_slurm(sh, cluster, settings, &mark, Some(engine))
            })
        }),
    }
}

fn with_slurm(
    sh: &Shell,
    cluster: &Cluster,
    settings: Settings,
    mark: &Mark,
    engine: Option<&Engine>,
) -> Result<()> {
    eprintln!("one job array, limit one minute: Slurm has none that is shorter");
    let from = containers::now()?;
    let seen = Seen::of(settings, mark)?;
    let (processes, jobs) = queue::left(sh, cluster, &seen.rows, mark)?;
    let containers = engine.map(|engine| Containers::since(sh, engine, from)).transpose()?;
    seen.show(&Left { processes, jobs: Some(jobs), containers })
}

impl Seen {
    /// Runs all candidates to their end.
    fn of(settings: Settings, mark: &Mark) -> Result<Self> {
        let results_dir = workspace::root().join(RESULTS);
        private::remove(&results_dir)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let Settings { config, options } = settings;
            let scheduler = JobScheduler::new(config.job_type(), config, options)?;
            let seen = tokio::select! {
                seen = Self::evaluate(&scheduler, &results_dir, mark) => seen,
                _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
            };
            scheduler.shutdown().await;
            seen
        })
    }

    async fn evaluate(scheduler: &JobScheduler, results_dir: &Path, mark: &Mark) -> Result<Self> {
        let mut events = scheduler.events();
        let progress = Progress::new(CANDIDATES);
        let jobs = submit(scheduler, results_dir)?;
        let mut seen = Self { rows: Vec::new(), most: 0 };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while seen.rows.len() < jobs.len() {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Submitted { .. }) => {}
                    Some(Event::Pending { job, reason }) => progress.pending(jobs[&job], &reason),
                    Some(Event::Started { job }) => progress.started(jobs[&job]),
                    Some(Event::Finished { job, .. }) => {
                        let row = Row { candidate: jobs[&job], results: scheduler.results(job)? };
                        progress.finished(&row);
                        seen.rows.push(row);
                    }
                    Some(Event::Missed(_)) | None => bail!("events are missing"),
                },
                _ = ticks.tick() => seen.most = seen.most.max(mark.count()?),
            }
        }
        Ok(seen)
    }

    /// Shows the ranking, and says whether all is as it should be.
    fn show(&self, left: &Left) -> Result<()> {
        let most = self.most;
        println!("{}", table::ranking(&self.rows));
        println!("results: in {RESULTS}");
        println!("processes left: {} (while they ran: up to {most} at once)", left.processes);
        if let Some(jobs) = left.jobs {
            println!("jobs left in Slurm's queue: {jobs}");
        }
        if let Some(Containers { made, left }) = &left.containers {
            println!("containers left: {} (made: {made})", left.len());
        }
        ensure!(most > 0, "no process was ever seen, so none would have been seen if it was left");
        ensure!(left.processes == 0, "{} processes are left", left.processes);
        ensure!(left.jobs.unwrap_or(0) == 0, "jobs are left in Slurm's queue, see squeue");
        if let Some(containers) = &left.containers {
            containers.ensure_none_left(self.rows.len())?;
        }
        let unexpected: Vec<_> = self.rows.iter().filter_map(Row::unexpected).collect();
        ensure!(unexpected.is_empty(), "{}", unexpected.join("; "));
        Ok(())
    }
}

/// Hands in all candidates together: with Slurm they are one job array.
fn submit(
    scheduler: &JobScheduler,
    results_dir: &Path,
) -> Result<HashMap<JobId, &'static Candidate>> {
    let candidates = workspace::root().join(EXAMPLE).join("candidates");
    let files = CANDIDATES.iter().map(|candidate| {
        let name = candidate.name;
        (candidates.join(format!("{name}.py")), results_dir.join(name))
    });
    let jobs = scheduler.submit_many(files).into_iter().zip(CANDIDATES);
    jobs.map(|(job, candidate)| Ok((job?, candidate))).collect()
}
