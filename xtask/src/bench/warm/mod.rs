//! Jobs whose evaluator is kept warm.

use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};
use xshell::Shell;

use super::{
    driver::Driver,
    figure::{Figure, Other, Target, Unit},
    launchers::{How, start_ours},
    pairs::{Pairs, RATE, TIME},
    reference::Reference,
    sample::Sample,
    sortie::Sortie,
    workplace::{Evaluator, Workplace},
};
use crate::workspace;

const REFERENCE: &str = "shinka-evolve 0.0.7";
const COLD: &str = "sortie, cold";
/// How many jobs run at once where several do.
const WIDTH: usize = 2;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// An evaluator that imports the reference's helper, against the reference
    Shinka,
    /// An evaluator that imports `numpy`, against a cold start
    Numpy,
    /// A trivial evaluator, against bare forks
    Forks,
    /// Memory of running jobs
    Memory,
    /// The first job, against a cold start
    First,
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

impl Part {
    async fn measure(self, sh: &Shell, rounds: usize) -> Result<Vec<Figure>> {
        let workplace = Workplace::tmpfs()?;
        match self {
            Self::Shinka => against_reference(sh, &workplace, rounds.div_ceil(3)).await,
            Self::Numpy => against_cold(sh, &workplace, rounds).await,
            Self::Forks => against_forks(sh, &workplace, rounds).await,
            Self::Memory => memory(sh, &workplace, rounds.div_ceil(3)),
            Self::First => {
                let mut figures = Vec::new();
                for (name, evaluator) in
                    [("trivial", Evaluator::python(sh)?), ("NumPy", Evaluator::with_numpy(sh)?)]
                {
                    figures.push(first(name, evaluator, &workplace, rounds).await?);
                }
                Ok(figures)
            }
        }
    }
}

/// One at a time.
async fn against_reference(
    sh: &Shell,
    workplace: &Workplace,
    rounds: usize,
) -> Result<Vec<Figure>> {
    const JOBS: usize = 2;
    let evaluator = Evaluator::with_shinka(sh)?;
    let mut reference = Reference::start(sh, &evaluator)?;
    let cold = Sortie::new(&evaluator, 1)?;
    let warm = Sortie::new(&evaluator.kept_warm(), 1)?;
    let of = "evaluator that imports shinka.core, one at a time";
    let pairs = Pairs::take(
        rounds,
        async || warm.run(JOBS, workplace).await,
        async || reference.run(JOBS, 1, workplace),
    )
    .await?;
    let time = Target::TimesLess(8.0);
    let mut figures = vec![pairs.compare(format!("time a job, {of}"), REFERENCE, TIME, time)];
    let cold = Pairs { other: vec![cold.run(JOBS, workplace).await?], ..pairs };
    figures.push(cold.compare("… against a cold start".to_owned(), COLD, TIME, Target::None));
    Ok(figures)
}

async fn against_cold(sh: &Shell, workplace: &Workplace, rounds: usize) -> Result<Vec<Figure>> {
    let evaluator = Evaluator::with_numpy(sh)?;
    let cold = Sortie::new(&evaluator, WIDTH)?;
    let warm = Sortie::new(&evaluator.kept_warm(), WIDTH)?;
    let pairs = Pairs::take(
        rounds,
        async || warm.run(100, workplace).await,
        async || cold.run(10, workplace).await,
    )
    .await?;
    let what = format!("evaluator that imports NumPy, {WIDTH} at once");
    Ok(vec![pairs.compare(what, COLD, RATE, Target::RatioAtLeast(20.0))])
}

async fn against_forks(sh: &Shell, workplace: &Workplace, rounds: usize) -> Result<Vec<Figure>> {
    const JOBS: usize = 200;
    let evaluator = Evaluator::python(sh)?;
    let mut forks = Driver::python(Path::new("python3"), "fork_loop.py", &evaluator)?;
    let warm = Sortie::new(&evaluator.kept_warm(), WIDTH)?;
    let pairs = Pairs::take(
        rounds,
        async || warm.run(JOBS, workplace).await,
        async || forks.run(JOBS, WIDTH, workplace),
    )
    .await?;
    let what = format!("trivial evaluator, {WIDTH} at once");
    Ok(vec![pairs.compare(what, "bare fork loop in Python", RATE, Target::RatioAtLeast(0.5))])
}

/// Memory that running jobs add, each time with new launchers.
fn memory(sh: &Shell, workplace: &Workplace, rounds: usize) -> Result<Vec<Figure>> {
    let evaluator = Evaluator::with_numpy(sh)?;
    let (mut warm, mut with_server, mut cold) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let [idle_cold, running_cold] = idle_and_running(How::Cold, &evaluator, workplace)?;
        let [idle_warm, running_warm] = idle_and_running(How::Warm, &evaluator, workplace)?;
        #[expect(clippy::cast_precision_loss, reason = "less than 2^52 bytes")]
        let a_job = |from: u64, to: u64| (to as f64 - from as f64) / WIDTH as f64;
        cold.push(a_job(idle_cold, running_cold));
        warm.push(a_job(idle_warm, running_warm));
        with_server.push(a_job(idle_cold, running_warm));
    }
    let figure = |what: &str, sortie, target| {
        let other = Some(Other { name: COLD, values: cold.clone() });
        Figure { what: what.to_owned(), unit: Unit::BytesPerJob, sortie, other, target }
    };
    Ok(vec![
        figure("memory that a running job adds, NumPy", warm, Target::RatioAtMost(1.0)),
        figure("… together with the server it is forked from", with_server, Target::None),
    ])
}

/// The memory of sortie and all its processes, after jobs and during jobs.
fn idle_and_running(how: How, evaluator: &Evaluator, workplace: &Workplace) -> Result<[u64; 2]> {
    let mut driver = start_ours(how, evaluator)?;
    driver.run(2 * WIDTH, WIDTH, workplace)?;
    let idle = driver.memory_now()?;
    Ok([idle.all, driver.memory(WIDTH, workplace)?.all])
}

/// The first job of new schedulers.
async fn first(
    name: &str,
    evaluator: Evaluator,
    workplace: &Workplace,
    rounds: usize,
) -> Result<Figure> {
    let warm = evaluator.clone().kept_warm();
    let pairs = Pairs::take(
        rounds,
        async || first_jobs(&warm, workplace).await,
        async || first_jobs(&evaluator, workplace).await,
    )
    .await?;
    let what = format!("the first job, {name} evaluator");
    Ok(pairs.compare(what, COLD, TIME, Target::RatioAtMost(1.1)))
}

async fn first_jobs(evaluator: &Evaluator, workplace: &Workplace) -> Result<Sample> {
    const JOBS: usize = 4;
    let mut all = Sortie::new(evaluator, 1)?.run(1, workplace).await?;
    for _ in 1..JOBS {
        all.wall += Sortie::new(evaluator, 1)?.run(1, workplace).await?.wall;
    }
    Ok(Sample { jobs: JOBS, ..all })
}
