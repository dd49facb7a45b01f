//! The benches: figures that a launcher is chosen for, each as a ratio to something measured right
//! beside it, so that they mean the same on any machine.

mod apptainer;
mod bare;
mod cpu;
mod docker;
mod driver;
mod figure;
mod launchers;
mod local;
mod pairs;
mod processes;
mod queued;
mod reference;
mod report;
mod sample;
mod slurm;
mod sortie;
mod spread;
mod sweep;
mod venv;
mod warm;
mod workplace;

use std::{fs, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use xshell::{Shell, cmd};

use crate::workspace;
use figure::{Figure, markdown};

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Jobs on this machine: against bare processes, and against the reference
    Local(local::Options),
    /// Jobs on a private Slurm: against bare sbatch, and against the reference
    Slurm(slurm::Options),
    /// Jobs in containers of a private engine: against bare `docker run`
    Docker(docker::Options),
    /// Jobs in Apptainer, that of Debian's sid: against bare `apptainer exec`
    Apptainer(apptainer::Options),
    /// Jobs with an evaluator kept warm: against cold starts, bare forks, and the reference
    Warm(warm::Options),
    /// The same jobs with other launchers: a table for the README
    Launchers(launchers::Options),
    /// The page of a sweep of ten thousand: opened and scrolled in a browser
    Report(report::Options),
    /// Sweeps: against the scheduler alone, and what very large ones take
    Sweep(sweep::Options),
    /// Only run so many jobs, so many at once, for a profiler to look at
    Load(local::Load),
    /// Run jobs as told on standard input
    #[command(hide = true)]
    Drive(launchers::Drive),
    /// Print the bytes of memory that each of so many queued jobs takes
    #[command(hide = true)]
    Queued { jobs: u32 },
    /// Print the bytes of memory and the share of a core that each of so many jobs takes on a Slurm
    /// that is only a stand-in
    #[command(hide = true)]
    InFlight { jobs: u32 },
    /// Be a launcher of jobs in containers
    #[command(hide = true, subcommand)]
    Launcher(docker::Launcher),
}

/// Runs a bench, in a program built to be fast.
pub(crate) fn run(sh: &Shell, bench: &Bench) -> Result<()> {
    if cfg!(debug_assertions) {
        let args = std::env::args_os().skip(1);
        let command = cmd!(sh, "cargo run --quiet --release --package xtask --").args(args);
        return Err(Command::from(command).exec().into());
    }
    match bench {
        Bench::Local(options) => report("local", || local::run(sh, options)),
        Bench::Load(load) => local::load(sh, load),
        Bench::Slurm(options) => report("slurm", || slurm::run(sh, options)),
        Bench::Docker(options) => report("docker", || docker::run(sh, options)),
        Bench::Apptainer(options) => report("apptainer", || apptainer::run(sh, options)),
        Bench::Report(options) => report("report", || report::run(sh, options)),
        Bench::Launcher(launcher) => launcher.run(),
        Bench::Warm(options) => report("warm", || warm::run(sh, options)),
        Bench::Sweep(options) => report("sweep", || sweep::run(sh, options)),
        Bench::Launchers(options) => launchers::run(sh, options),
        Bench::Drive(drive) => drive.serve(),
        Bench::InFlight { jobs } => slurm::in_flight(*jobs),
        Bench::Queued { jobs } => queued::print_bytes_per_job(*jobs),
    }
}

/// Measures, prints the figures, keeps their values, and fails if a target is missed.
fn report(name: &str, measure: impl FnOnce() -> Result<Vec<Figure>>) -> Result<()> {
    let load = load_average()?;
    let figures = measure()?;
    let file = workspace::target("bench").join(format!("{name}.json"));
    let json = serde_json::to_string_pretty(&figures)?;
    fs::write(&file, json + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", markdown(&figures));
    println!("Medians, with quartiles in brackets; every round is in target/bench/{name}.json.");
    println!(
        "Load average of the machine before: {load}. Above 1 it helps whoever has more processes."
    );
    let missed = figures.iter().filter(|figure| figure.met() == Some(false)).count();
    ensure!(missed == 0, "{missed} of the targets are missed");
    Ok(())
}

/// Of the last minute.
fn load_average() -> Result<String> {
    let averages = fs::read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    Ok(averages.split(' ').next().unwrap_or_default().to_owned())
}
