//! `cargo xtask`, the project's own tool: the gates a change must pass, the tests, and the private
//! Slurm they run on.

mod apptainer;
mod bench;
mod ci;
mod demo;
mod docker;
mod interrupt;
mod layers;
mod messages;
mod metadata;
mod packages;
mod private;
mod programs;
mod publish;
mod releases;
mod rootless;
mod roots;
mod slurm;
mod snapshots;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "sortie's own tool")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure how fast it is, against what should be beaten
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Check format, lints, documentation, layers, packages, dependencies and snapshots; no test is run
    Ci,
    /// Run an evaluator on candidates of all kinds, and show how they rank
    Demo {
        /// Where the candidates are evaluated
        #[arg(default_value = "local")]
        place: demo::Place,
    },
    /// Install and start what the tests need, run them all, stop what was started
    Test {
        /// Only the tests that need nothing installed or started
        #[arg(long)]
        quick: bool,
        /// Instead, the tests of Slurm with that of a Debian release, as a user who is not root
        #[arg(long, value_enum, value_name = "RELEASE", conflicts_with = "quick")]
        slurm: Option<releases::Which>,
        /// Instead, the tests of Apptainer with the real one of Debian's sid, as a user who is not root
        #[arg(long, conflicts_with_all = ["quick", "slurm"])]
        apptainer: bool,
        /// Instead, the tests of containers with the Podman of a Debian release, without root
        #[arg(long, value_enum, value_name = "RELEASE", conflicts_with_all = ["quick", "slurm", "apptainer"])]
        rootless: Option<rootless::Which>,
    },
    /// Private Slurms under target/, this machine's and those of Debian's releases, for root on Debian 12
    #[command(subcommand)]
    Slurm(slurm::Task),
    /// A private Docker engine under target/, with images for tests, for root on Debian 12
    #[command(subcommand)]
    Docker(docker::Task),
}

fn main() -> ExitCode {
    match run(&Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace that returning it would print: an error here says what to do.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<()> {
    let sh = workspace::shell()?;
    match task {
        Task::Bench(bench) => bench::run(&sh, bench),
        Task::Ci => ci::run(&sh),
        Task::Demo { place } => demo::run(&sh, *place),
        Task::Test { slurm: Some(which), .. } => releases::test(&sh, *which),
        Task::Test { apptainer: true, .. } => apptainer::test(&sh),
        Task::Test { rootless: Some(which), .. } => rootless::test(&sh, *which),
        Task::Test { quick: true, .. } => test::quick(&sh),
        Task::Test { .. } => {
            test::all(&sh).and_then(|()| rootless::test(&sh, rootless::Which::Bookworm))
        }
        Task::Slurm(task) => slurm::run(&sh, task),
        Task::Docker(task) => docker::run(&sh, task),
    }
}
