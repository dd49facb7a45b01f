//! Jobs on this machine.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use xshell::{Shell, cmd};

use super::{
    bare::Bare,
    figure::{Figure, Target, Unit},
    pairs::{CPU, Pairs, RATE, TIME},
    reference::Reference,
    sample::Sample,
    sortie::Sortie,
    workplace::{Evaluator, Workplace},
};
use crate::workspace;

const BARE: &str = "bare spawn and wait";
const REFERENCE: &str = "shinka-evolve 0.0.7";
const QUEUED: u32 = 100_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Debug, Args)]
pub(crate) struct Load {
    jobs: usize,
    width: usize,
    /// With the Python evaluator, not the native one
    #[arg(long)]
    python: bool,
    /// With results dirs on disk, not in memory
    #[arg(long)]
    disk: bool,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A native evaluator, one at a time
    Native,
    /// A Python evaluator, one at a time
    Python,
    /// What activating a Conda environment adds to a job
    Activation,
    /// Many native jobs, on tmpfs
    Tmpfs,
    /// Many native jobs, on disk
    Disk,
    /// Against the reference
    Reference,
    /// Memory of queued jobs
    Queued,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Vec::new();
    let parts = Part::value_variants().iter();
    for part in parts.filter(|part| options.only.is_empty() || options.only.contains(part)) {
        eprintln!("measuring: {part:?}");
        figures.extend(runtime.block_on(part.measure(sh, options.rounds))?);
    }
    Ok(figures)
}

/// Runs jobs of sortie's, and nothing else.
pub(crate) fn load(sh: &Shell, load: &Load) -> Result<()> {
    sh.create_dir(workspace::target("bench"))?;
    let evaluator = if load.python { Evaluator::python(sh)? } else { Evaluator::native(sh)? };
    let workplace = if load.disk { Workplace::disk()? } else { Workplace::tmpfs()? };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let sample = Sortie::new(&evaluator, load.width)?.run(load.jobs, &workplace).await?;
        println!("{:.1} jobs/s", sample.jobs_per_second());
        Ok(())
    })
}

impl Part {
    async fn measure(self, sh: &Shell, rounds: usize) -> Result<Vec<Figure>> {
        match self {
            Self::Native => {
                let limit = Target::RatioAtMost(1.5);
                one_at_a_time("native", &Evaluator::native(sh)?, 100, rounds, limit).await
            }
            Self::Python => {
                let limit = Target::RatioAtMost(1.05);
                one_at_a_time("Python", &Evaluator::python(sh)?, 10, rounds, limit).await
            }
            Self::Activation => activation(sh, 20, rounds).await,
            Self::Tmpfs => many(sh, "tmpfs", Workplace::tmpfs()?, rounds).await,
            Self::Disk => many(sh, "disk", Workplace::disk()?, rounds).await,
            Self::Reference => {
                let mut figures = against_reference(sh, 1, 4, 8.0, rounds.div_ceil(3)).await?;
                figures.extend(against_reference(sh, 8, 24, 1.8, rounds.div_ceil(3)).await?);
                Ok(figures)
            }
            Self::Queued => queued(sh, rounds.div_ceil(3)),
        }
    }
}

/// What of the CPU time is the launcher's and its helpers', and what the helpers' alone.
fn all_cpu(pairs: &Pairs, of: &str) -> [Figure; 2] {
    let all = format!("CPU of launcher and helpers a job, {of}");
    let helpers = format!("… of that, the helpers, {of}");
    let sortie = pairs.sortie.iter().map(Sample::helpers_cpu_per_job).collect();
    let (unit, target) = (Unit::CpuSecondsPerJob, Target::None);
    [
        pairs.compare(all, BARE, CPU, Target::ValueAtMost(300e-6)),
        Figure { what: helpers, unit, sortie, other: None, target },
    ]
}

async fn one_at_a_time(
    name: &str,
    evaluator: &Evaluator,
    jobs: usize,
    rounds: usize,
    target: Target,
) -> Result<Vec<Figure>> {
    let workplace = Workplace::tmpfs()?;
    let (sortie, bare) = (Sortie::new(evaluator, 1)?, Bare::new(evaluator)?);
    let pairs = Pairs::take(
        rounds,
        async || sortie.run(jobs, &workplace).await,
        async || bare.run(jobs, 1, &workplace),
    )
    .await?;
    let of = format!("{name} evaluator, one at a time");
    let mut figures = vec![pairs.compare(format!("`run`, {of}"), BARE, TIME, target)];
    figures.extend(all_cpu(&pairs, &of));
    Ok(figures)
}

/// The same native evaluator with and without an environment.
async fn activation(sh: &Shell, jobs: usize, rounds: usize) -> Result<Vec<Figure>> {
    let workplace = Workplace::tmpfs()?;
    let plain = Evaluator::native(sh)?;
    let active = Sortie::new(&plain.clone().in_conda(sh)?, 1)?;
    let plain = Sortie::new(&plain, 1)?;
    let mut added = Vec::new();
    // The first does not count.
    for round in 0..=rounds {
        let with = active.run(jobs, &workplace).await?.seconds_per_job();
        let without = plain.run(jobs, &workplace).await?.seconds_per_job();
        added.extend((round > 0).then_some(with - without));
    }
    Ok(vec![Figure {
        what: "what a Conda environment with a hook adds".to_owned(),
        unit: Unit::SecondsPerJob,
        sortie: added,
        other: None,
        target: Target::ValueAtMost(30e-3),
    }])
}

async fn many(sh: &Shell, place: &str, workplace: Workplace, rounds: usize) -> Result<Vec<Figure>> {
    const JOBS: usize = 2000;
    const WIDTH: usize = 64;
    let evaluator = Evaluator::native(sh)?;
    let (sortie, bare) = (Sortie::new(&evaluator, WIDTH)?, Bare::new(&evaluator)?);
    let pairs = Pairs::take(
        rounds,
        async || sortie.run(JOBS, &workplace).await,
        async || bare.run(JOBS, WIDTH, &workplace),
    )
    .await?;
    let of = format!("{JOBS} native jobs, {WIDTH} at once, on {place}");
    let mut figures = vec![pairs.compare(of.clone(), BARE, RATE, Target::RatioAtLeast(0.8))];
    figures.extend(all_cpu(&pairs, &of));
    Ok(figures)
}

async fn against_reference(
    sh: &Shell,
    width: usize,
    jobs: usize,
    times_faster: f64,
    rounds: usize,
) -> Result<Vec<Figure>> {
    let evaluator = Evaluator::python(sh)?;
    let workplace = Workplace::tmpfs()?;
    let sortie = Sortie::new(&evaluator, width)?;
    let mut reference = Reference::start(sh, &evaluator)?;
    let pairs = Pairs::take(
        rounds,
        async || sortie.run(jobs, &workplace).await,
        async || reference.run(jobs, width, &workplace),
    )
    .await?;
    let at_once = if width == 1 { "one at a time".to_owned() } else { format!("{width} at once") };
    let of = format!("Python evaluator, {at_once}");
    let time = Target::TimesLess(times_faster);
    Ok(vec![
        pairs.compare(format!("time a job, {of}"), REFERENCE, TIME, time),
        pairs.compare(format!("CPU a job, {of}"), REFERENCE, CPU, Target::TimesLess(10.0)),
    ])
}

/// Each time in a new process.
fn queued(sh: &Shell, rounds: usize) -> Result<Vec<Figure>> {
    let (program, jobs) = (std::env::current_exe()?, QUEUED.to_string());
    let measure = || {
        let bytes = cmd!(sh, "{program} bench queued {jobs}").quiet().read()?;
        bytes.trim().parse::<f64>().with_context(|| format!("no number of bytes: {bytes:?}"))
    };
    Ok(vec![Figure {
        what: format!("memory of {jobs} queued jobs"),
        unit: Unit::BytesPerJob,
        sortie: (0..rounds).map(|_| measure()).collect::<Result<_>>()?,
        other: None,
        target: Target::ValueAtMost(2048.0),
    }])
}
