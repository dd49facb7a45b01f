//! The drivers that are not in Python, see `driving.py`: sortie, and the bare loop.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use nix::sys::resource::{UsageWho, getrusage};

use crate::bench::{
    bare::Bare,
    cpu::Cpu,
    sample::Sample,
    sortie::Sortie,
    workplace::{Evaluator, Fresh},
};

#[derive(Debug, Args)]
pub(crate) struct Drive {
    how: How,
    interpreter: PathBuf,
    evaluator: PathBuf,
    candidate: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum How {
    Bare,
    Cold,
    Warm,
}

impl How {
    /// As a driver's first argument.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Cold => "cold",
            Self::Warm => "warm",
        }
    }
}

impl Drive {
    /// Runs jobs until there are no more orders.
    pub(crate) fn serve(&self) -> Result<()> {
        let Self { interpreter, evaluator, candidate, .. } = self;
        let evaluator = Evaluator::at(interpreter.clone(), evaluator.clone(), candidate.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut launcher = match self.how {
                How::Bare => Launcher::Bare(Bare::new(&evaluator)?),
                How::Cold => Launcher::Sortie(evaluator, HashMap::new()),
                How::Warm => Launcher::Sortie(evaluator.kept_warm(), HashMap::new()),
            };
            for order in io::stdin().lines() {
                let order = order?;
                let (jobs, width, fresh) =
                    read(&order).with_context(|| format!("this is no order: {order:?}"))?;
                let Sample { wall, cpu, .. } = launcher.run(jobs, width, &fresh).await?;
                let seconds = [wall, cpu.launcher, cpu.helpers].map(|it| it.as_secs_f64());
                println!("{} {} {}", seconds[0], seconds[1], seconds[2]);
            }
            Ok(())
        })
    }
}

fn read(order: &str) -> Option<(usize, usize, Fresh)> {
    let (jobs, rest) = order.split_once(' ')?;
    let (width, dir) = rest.split_once(' ')?;
    Some((jobs.parse().ok()?, width.parse().ok()?, Fresh::kept(dir.into())))
}

enum Launcher {
    Bare(Bare),
    /// One scheduler for each number of jobs at once.
    Sortie(Evaluator, HashMap<usize, Sortie>),
}

impl Launcher {
    /// Runs jobs: sortie's helpers count as sortie, since its evaluators can be told from them.
    async fn run(&mut self, jobs: usize, width: usize, fresh: &Fresh) -> Result<Sample> {
        match self {
            Self::Bare(bare) => {
                let before = children_cpu()?;
                let sample = bare.run_in(fresh, jobs, width)?;
                let helpers = children_cpu()?.saturating_sub(before);
                Ok(Sample { cpu: Cpu { helpers, ..sample.cpu }, ..sample })
            }
            Self::Sortie(evaluator, schedulers) => {
                let scheduler = match schedulers.entry(width) {
                    Entry::Occupied(there) => there.into_mut(),
                    Entry::Vacant(space) => space.insert(Sortie::new(evaluator, width)?),
                };
                let sample = scheduler.run_in(fresh, jobs).await?;
                let cpu = Cpu { launcher: sample.cpu.total(), helpers: Duration::ZERO };
                Ok(Sample { cpu, ..sample })
            }
        }
    }
}

/// Of all that this process has waited for.
fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec().saturating_mul(1_000_000) + time.tv_usec());
    Ok(Duration::from_micros(micros.iter().sum::<i64>().try_into()?))
}
