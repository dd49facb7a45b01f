//! The same jobs with all launchers that a user might choose instead, in one table.

mod contender;
mod ours;

use std::{ffi::OsString, fs, path::Path};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use xshell::Shell;

use super::{
    driver::{Driver, Memory},
    figure::{MIB, table},
    load_average,
    sample::Sample,
    spread::Spread,
    workplace::{Evaluator, Workplace},
};
use crate::workspace;
use contender::Contender;
pub(crate) use ours::{Drive, How};

/// How many jobs run at once where several do.
const WIDTH: usize = 2;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these launchers
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contender>,
}

/// A line of the table, with one value each round.
#[derive(Debug, Serialize)]
struct Row {
    launcher: &'static str,
    jobs_per_second: Vec<f64>,
    overhead_seconds_per_job: Vec<f64>,
    cpu_seconds_per_job: Vec<f64>,
    memory_bytes: Vec<f64>,
}

/// What the jobs are.
struct Jobs {
    trivial: Evaluator,
    /// For what launchers use themselves: it uses next to nothing.
    native: Evaluator,
    /// One that can be held, for memory.
    held: Evaluator,
    workplace: Workplace,
}

/// One launcher in one round.
struct Measured {
    /// Trivial jobs, several at once.
    many: Sample,
    /// Trivial jobs, one at a time.
    single: Sample,
    /// The same in the bare loop, right before.
    bare_single: Sample,
    /// Jobs of which the launcher's CPU time is taken.
    cpu: Sample,
    memory: Memory,
}

/// Measures, prints the table, and keeps its values.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let load = load_average()?;
    sh.create_dir(workspace::target("bench"))?;
    let jobs = Jobs {
        trivial: Evaluator::python(sh)?,
        native: Evaluator::native(sh)?,
        held: Evaluator::with_numpy(sh)?,
        workplace: Workplace::tmpfs()?,
    };
    let wanted = |it: &Contender| options.only.is_empty() || options.only.contains(it);
    let contenders: Vec<_> = Contender::value_variants().iter().copied().filter(wanted).collect();
    let mut rows: Vec<_> = contenders.iter().map(|it| Row::new(*it)).collect();
    let mut bare_loop = Contender::Bare.start(sh, &jobs.trivial)?;
    let mut own_time = Vec::new();
    for round in 1..=options.rounds {
        eprintln!("measuring: round {round} of {}", options.rounds);
        let bare = jobs.measure(sh, Contender::Bare, &mut bare_loop)?;
        own_time.push(bare.single.seconds_per_job());
        for (contender, row) in contenders.iter().zip(&mut rows) {
            let measured = match contender {
                Contender::Bare => None,
                _ => Some(jobs.measure(sh, *contender, &mut bare_loop)?),
            };
            row.add(*contender, measured.as_ref().unwrap_or(&bare), &bare);
        }
    }
    let file = workspace::target("bench/launchers.json");
    fs::write(&file, serde_json::to_string_pretty(&rows)? + "\n")
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", markdown(&rows));
    println!("Medians, with quartiles in brackets; every round is in target/bench/launchers.json.");
    println!("The evaluator alone takes {} ms.", Spread::of(&own_time).scaled(1e3));
    println!("Load average of the machine before: {load}.");
    Ok(())
}

impl Jobs {
    fn measure(&self, sh: &Shell, contender: Contender, bare: &mut Driver) -> Result<Measured> {
        let (many, single) = contender.jobs();
        let mut driver = contender.start(sh, &self.trivial)?;
        // The first do not count.
        driver.run(WIDTH, WIDTH, &self.workplace)?;
        driver.run(1, 1, &self.workplace)?;
        let trivial = driver.run(many, WIDTH, &self.workplace)?;
        let bare_single = bare.run(20, 1, &self.workplace)?;
        let single = driver.run(single, 1, &self.workplace)?;
        drop(driver);
        let cpu = if contender.tells_its_cpu() {
            trivial
        } else {
            let mut driver = contender.start(sh, &self.native)?;
            driver.run(WIDTH, WIDTH, &self.workplace)?;
            driver.run(many, WIDTH, &self.workplace)?
        };
        let mut driver = contender.start(sh, &self.held)?;
        driver.run(WIDTH, WIDTH, &self.workplace)?;
        let memory = driver.memory(WIDTH, &self.workplace)?;
        Ok(Measured { many: trivial, single, bare_single, cpu, memory })
    }
}

impl Row {
    fn new(contender: Contender) -> Self {
        Self {
            launcher: contender.title(),
            jobs_per_second: Vec::new(),
            overhead_seconds_per_job: Vec::new(),
            cpu_seconds_per_job: Vec::new(),
            memory_bytes: Vec::new(),
        }
    }

    /// Adds a round, in which the bare loop had nothing but the evaluators below it.
    #[expect(clippy::cast_precision_loss, reason = "less than 2^52 bytes")]
    fn add(&mut self, contender: Contender, measured: &Measured, bare: &Measured) {
        let Measured { many, single, bare_single, cpu, memory } = measured;
        self.jobs_per_second.push(many.jobs_per_second());
        let overhead = single.seconds_per_job() - bare_single.seconds_per_job();
        self.overhead_seconds_per_job.push(overhead);
        let evaluators =
            if contender.tells_its_cpu() { 0.0 } else { bare.cpu.helpers_cpu_per_job() };
        self.cpu_seconds_per_job.push(cpu.cpu_per_job() - evaluators);
        let evaluators = bare.memory.all - bare.memory.own;
        let driver = if contender.is_its_driver() { 0 } else { memory.own };
        self.memory_bytes.push(memory.all as f64 - (evaluators + driver) as f64);
    }
}

fn markdown(rows: &[Row]) -> String {
    let jobs = format!("jobs/s, {WIDTH} at once");
    let memory = format!("memory with {WIDTH} running, MiB");
    let header = ["launcher", &jobs, "overhead a job, ms", "CPU a job, ms", &memory];
    let lines = rows.iter().map(|row| {
        [
            row.launcher.to_owned(),
            Spread::of(&row.jobs_per_second).to_string(),
            Spread::of(&row.overhead_seconds_per_job).scaled(1e3).to_string(),
            Spread::of(&row.cpu_seconds_per_job).scaled(1e3).to_string(),
            Spread::of(&row.memory_bytes).scaled(1.0 / MIB).to_string(),
        ]
    });
    table(header, lines)
}

/// A driver that is part of this program.
pub(crate) fn start_ours(how: How, evaluator: &Evaluator) -> Result<Driver> {
    let args = ["bench", "drive", how.name()].map(OsString::from);
    Driver::start(Path::new(&std::env::current_exe()?), &args, evaluator)
}
