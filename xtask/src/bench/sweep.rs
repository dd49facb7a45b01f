//! Sweeps of trivial candidates: against the scheduler alone.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sortie_scheduler::SchedulerOptions;
use sortie_sweep::{
    Candidate, Control, NewSweep, OpenSweep, Options as SweepOptions, Progress, RealDisk, Stop,
    Summary, SweepDir,
};
use tokio::sync::watch;
use xshell::{Shell, cmd};

use super::figure::{Figure, Other, Target, Unit};
use super::queued::resident;
use super::sortie::Sortie;
use super::workplace::{Evaluator, Workplace};
use crate::workspace;

/// How many run at once.
const WIDTH: usize = 4;
const FEW: usize = 1000;
const MANY: usize = 20_000;
const FINISHED: usize = 100_000;
/// Targets: in seconds, and in bytes.
const PATIENCE: f64 = 2.0;
const ROOM: f64 = 30.0 * 1024.0 * 1024.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    let evaluator = Evaluator::native(sh)?;
    let mut figures = vec![rate(&evaluator, options.rounds)?];
    figures.push(memory(sh, options.rounds)?);
    figures.push(resumed(&evaluator, options.rounds)?);
    Ok(figures)
}

/// Makes a sweep of so many candidates in a directory, and runs it.
async fn sweep(evaluator: &Evaluator, dir: &Path, count: usize) -> Result<()> {
    let open = create(evaluator, dir, count)?;
    let (_stop, stop) = watch::channel(Stop::No);
    let (progress, _seen) = watch::channel(Progress::default());
    let control = Control { stop, progress };
    let sweep = open.run(evaluator.config().into(), SchedulerOptions::default(), control).await?;
    let correct = Summary::of(&sweep, 0).done.correct;
    ensure!(correct == count, "{correct} of {count} candidates are correct");
    Ok(())
}

fn create(evaluator: &Evaluator, dir: &Path, count: usize) -> Result<OpenSweep> {
    let candidate = |number| Candidate {
        id: format!("candidate_{number:06}"),
        path: evaluator.candidate().to_owned(),
        args: Vec::new(),
    };
    let new = NewSweep {
        settings: "",
        cwd: std::env::current_dir()?,
        options: SweepOptions { workers: WIDTH, ..SweepOptions::default() },
        candidates: (0..count).map(candidate).collect(),
    };
    Ok(OpenSweep::create(SweepDir::new(dir), new, Arc::new(RealDisk))?)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn rate(evaluator: &Evaluator, rounds: usize) -> Result<Figure> {
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("measuring: {MANY} candidates, round {round}");
        let workplace = Workplace::tmpfs()?;
        runtime()?.block_on(async {
            let scheduler = Sortie::new(evaluator, WIDTH)?;
            alone.push(scheduler.run(MANY, &workplace).await?.jobs_per_second());
            let fresh = workplace.fresh()?;
            let from = Instant::now();
            sweep(evaluator, &fresh.path().join("out"), MANY).await?;
            ours.push(jobs_per_second(from.elapsed()));
            anyhow::Ok(())
        })?;
    }
    Ok(Figure {
        what: format!("a sweep of {MANY} trivial candidates, {WIDTH} at once, tmpfs"),
        unit: Unit::JobsPerSecond,
        sortie: ours,
        other: Some(Other { name: "`JobScheduler` alone", values: alone }),
        target: Target::RatioAtLeast(0.7),
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn jobs_per_second(wall: Duration) -> f64 {
    MANY as f64 / wall.as_secs_f64()
}

/// How much more memory many candidates take than few, each in a process of its own.
fn memory(sh: &Shell, rounds: usize) -> Result<Figure> {
    let mut more = Vec::new();
    for _ in 0..rounds {
        let measure = |count: usize| -> Result<f64> {
            let xtask = std::env::current_exe()?;
            let count = count.to_string();
            let bytes = cmd!(sh, "{xtask} bench sweep-memory {count}").quiet().read()?;
            bytes.trim().parse().context("the bench prints no number")
        };
        more.push(measure(MANY)? - measure(FEW)?);
    }
    Ok(Figure {
        what: format!("memory of a sweep of {MANY}, beyond that of one of {FEW}"),
        unit: Unit::BytesPerJob,
        sortie: more,
        other: None,
        target: Target::ValueAtMost(ROOM),
    })
}

/// Prints how large this process was at the end of a sweep of so many, in bytes.
pub(super) fn print_memory(sh: &Shell, count: u32) -> Result<()> {
    let evaluator = Evaluator::native(sh)?;
    let workplace = Workplace::tmpfs()?;
    let fresh = workplace.fresh()?;
    runtime()?.block_on(sweep(&evaluator, &fresh.path().join("out"), count as usize))?;
    println!("{}", resident()?);
    Ok(())
}

/// How long it takes to find out that all of a sweep is done. Its results dirs are not looked at.
fn resumed(evaluator: &Evaluator, rounds: usize) -> Result<Figure> {
    let workplace = Workplace::tmpfs()?;
    let fresh = workplace.fresh()?;
    let out = fresh.path().join("out");
    eprintln!("measuring: resuming {FINISHED}");
    runtime()?.block_on(sweep(evaluator, &out, FINISHED))?;
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let from = Instant::now();
        runtime()?.block_on(async {
            let open = OpenSweep::resume(SweepDir::new(&out), Arc::new(RealDisk))?;
            let (_stop, stop) = watch::channel(Stop::No);
            let (progress, _seen) = watch::channel(Progress::default());
            let control = Control { stop, progress };
            let options = SchedulerOptions::default();
            let sweep = open.run(evaluator.config().into(), options, control).await?;
            ensure!(Summary::of(&sweep, 0).complete, "it is not complete");
            Ok(())
        })?;
        seconds.push(from.elapsed().as_secs_f64());
    }
    Ok(Figure {
        what: format!("resuming a finished sweep of {FINISHED}"),
        unit: Unit::SecondsPerJob,
        sortie: seconds,
        other: None,
        target: Target::ValueAtMost(PATIENCE),
    })
}
