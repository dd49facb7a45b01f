//! The benches: figures that a launcher is chosen for, each as a ratio to something measured right
//! beside it, so that they mean the same on any machine.

mod bare;
mod cpu;
mod figure;
mod local;
mod queued;
mod reference;
mod sample;
mod sortie;
mod spread;
mod venv;
mod workplace;

use std::fs;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use xshell::{Shell, cmd};

use crate::workspace;
use figure::{Figure, markdown};

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Jobs on this machine: against bare processes, and against the reference
    Local(local::Options),
    /// Only run so many jobs, so many at once, for a profiler to look at
    Load(local::Load),
    /// Print the bytes of memory that each of so many queued jobs takes
    #[command(hide = true)]
    Queued { jobs: u32 },
}

/// Runs a bench, in a program built to be fast.
pub(crate) fn run(sh: &Shell, bench: &Bench) -> Result<()> {
    if cfg!(debug_assertions) {
        let args = std::env::args_os().skip(1);
        cmd!(sh, "cargo run --quiet --release --package xtask --").args(args).quiet().run()?;
        return Ok(());
    }
    match bench {
        Bench::Local(options) => report("local", &local::run(sh, options)?),
        Bench::Load(load) => local::load(sh, load),
        Bench::Queued { jobs } => queued::print_bytes_per_job(*jobs),
    }
}

/// Prints the figures, keeps their values, and fails if a target is missed.
fn report(name: &str, figures: &[Figure]) -> Result<()> {
    let file = workspace::target("bench").join(format!("{name}.json"));
    let json = serde_json::to_string_pretty(figures)?;
    fs::write(&file, json + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", markdown(figures));
    println!("Medians, with quartiles in brackets; every round is in target/bench/{name}.json.");
    let missed = figures.iter().filter(|figure| figure.met() == Some(false)).count();
    ensure!(missed == 0, "{missed} of the targets are missed");
    Ok(())
}
