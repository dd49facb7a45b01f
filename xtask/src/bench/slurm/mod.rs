//! Jobs with Slurm: on the private one, which the bench should have for itself, and on a stand-in
//! where it is only about the launcher.

mod calls;
mod in_flight;
mod latency;
mod render;
mod site;
mod submission;
mod trivial;

use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};
use xshell::Shell;

use super::{
    figure::{Figure, Other, Target, Unit},
    workplace::Workplace,
};
use crate::{
    slurm::{self, Flavour},
    workspace,
};
pub(super) use in_flight::print as in_flight;
use site::Site;
pub(super) use site::{env_with, shim};

const BARE: &str = "bare sbatch";
const REFERENCE: &str = "shinka-evolve 0.0.7";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often short measurements are made
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// How often Slurm's commands are called in a minute
    Calls,
    /// From a job's end to its result
    Latency,
    /// `submit_many` against one sbatch each
    Many,
    /// `submit` against sbatch
    One,
    /// Jobs that do next to nothing, against a bare array of them
    Trivial,
    /// Rendering a script
    Render,
    /// CPU and memory with very many jobs in flight
    InFlight,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    let parts = Part::value_variants().iter().copied();
    let wanted = |part: &Part| options.only.is_empty() || options.only.contains(part);
    let (launcher, slurm): (Vec<Part>, Vec<Part>) =
        parts.filter(wanted).partition(|part| matches!(part, Part::Render | Part::InFlight));
    let mut figures = Vec::new();
    if !slurm.is_empty() {
        figures.extend(slurm::with(sh, Flavour::Plain, |cluster| {
            with_slurm(sh, &cluster.conf, &slurm, options.rounds)
        })?);
    }
    for part in launcher {
        eprintln!("measuring: {part:?}");
        figures.extend(match part {
            Part::Render => render::figures(options.rounds * 5)?,
            _ => in_flight::figures(sh, options.rounds)?,
        });
    }
    Ok(figures)
}

fn with_slurm(sh: &Shell, conf: &Path, parts: &[Part], rounds: usize) -> Result<Vec<Figure>> {
    let site = Site { sh, conf, workplace: Workplace::tmpfs()? };
    site.ensure_queued(0)?;
    let mut figures = Vec::new();
    for part in parts {
        eprintln!("measuring: {part:?}");
        figures.extend(match part {
            Part::Calls => calls::figures(&site)?,
            Part::Latency => latency::figures(&site)?,
            Part::Trivial => vec![trivial::figure(&site, rounds)?],
            Part::Many => vec![submission::many(&site, rounds)?],
            _ => vec![submission::one_by_one(&site, rounds * 100)?],
        });
    }
    Ok(figures)
}
