//! Jobs in containers of the private engine: here, against a bare container, and many on the private
//! Slurm.

mod image;
mod many;
pub(super) mod one;

use std::{env, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use xshell::{Cmd, Shell};

use super::{
    figure::{Figure, Other, Target, Unit},
    workplace::{Fresh, Workplace},
};
use crate::{
    docker::{self, Engine},
    slurm::{self, Flavour},
    workspace,
};

/// Runs with the interpreter of the image.
const EVALUATOR: &str = "xtask/src/bench/evaluators/trivial.py";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each job is run to be timed
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One job at a time against a bare container
    One,
    /// Many jobs on Slurm, with an image that is in an archive
    Many,
}

/// What a process of its own does, whose environment leads to the engine: jobs inherit it.
#[derive(Debug, Subcommand)]
pub(crate) enum Launcher {
    /// Time one job after the other, and print the seconds of each round
    One {
        image: String,
        rounds: usize,
        #[arg(long, default_value = "docker")]
        engine: one::Kind,
    },
    /// Run many jobs on Slurm to a good end
    Many {
        image: String,
        archive: PathBuf,
        /// For the results dirs
        dir: PathBuf,
        jobs: usize,
    },
}

impl Launcher {
    pub(super) fn run(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = async {
            match self {
                Self::One { image, rounds, engine } => one::print(*engine, image, *rounds).await,
                Self::Many { image, archive, dir, jobs } => {
                    many::launch(image, archive, dir, *jobs).await
                }
            }
        };
        runtime.block_on(async {
            tokio::select! {
                done = work => done,
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        })
    }
}

/// Such a process.
fn launcher<'a>(sh: &'a Shell, engine: &Engine, which: &str) -> Result<Cmd<'a>> {
    let command = sh.cmd(env::current_exe()?).args(["bench", "launcher", which]);
    Ok(command.env("DOCKER_HOST", &engine.host).quiet())
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    docker::with(sh, |engine| {
        let mut figures = Vec::new();
        for part in Part::value_variants() {
            if options.only.is_empty() || options.only.contains(part) {
                eprintln!("measuring: {part:?}");
                figures.extend(part.measure(sh, engine, options.rounds)?);
            }
        }
        Ok(figures)
    })
}

impl Part {
    fn measure(self, sh: &Shell, engine: &Engine, rounds: usize) -> Result<Vec<Figure>> {
        match self {
            Self::One => {
                let command = launcher(sh, engine, "one")?.arg(engine.python.name);
                one::figures(one::Kind::Docker, command, rounds)
            }
            Self::Many => {
                slurm::with(sh, Flavour::Plain, |cluster| many::figures(sh, engine, cluster))
            }
        }
    }
}
