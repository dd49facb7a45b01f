//! Sweeps: against the scheduler that they are made of, and what very large ones take.

use std::{
    ffi::OsStr,
    fmt::Write,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use xshell::{Shell, cmd};

use super::{
    figure::{Figure, MIB, Other, Target, Unit},
    processes,
    sortie::Sortie,
    workplace::{Evaluator, Fresh, Workplace},
};
use crate::workspace;

const WIDTH: usize = 4;
/// How many candidates the sweeps have.
const SMALL: usize = 1000;
const LARGE: usize = 20_000;
const REPORTED: usize = 10_000;
const RESUMED: usize = 100_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Time and memory of a sweep of 20000
    Jobs,
    /// Writing the report of 10000
    Report,
    /// Resuming a finished sweep of 100000
    Resume,
}

/// The command-line tool, and what it sweeps.
struct Bench {
    sortie: PathBuf,
    evaluator: Evaluator,
    workplace: Workplace,
}

/// How a command of the tool went.
struct Ran {
    wall: Duration,
    /// The most memory that the process had at a time, in bytes.
    memory: u64,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    cmd!(sh, "cargo build --quiet --release --package sortie").quiet().run()?;
    let sortie = std::env::current_exe()?.with_file_name("sortie");
    let bench = Bench { sortie, evaluator: Evaluator::native(sh)?, workplace: Workplace::tmpfs()? };
    let mut figures = Vec::new();
    let parts = Part::value_variants().iter();
    for part in parts.filter(|part| options.only.is_empty() || options.only.contains(part)) {
        eprintln!("measuring: {part:?}");
        figures.extend(match part {
            Part::Jobs => bench.jobs(options.rounds)?,
            Part::Report => bench.report(options.rounds)?,
            Part::Resume => vec![bench.resume(options.rounds)?],
        });
    }
    Ok(figures)
}

impl Bench {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn jobs(&self, rounds: usize) -> Result<Vec<Figure>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut sweep, mut scheduler, mut more) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let small = self.sweep(SMALL, &self.workplace.fresh()?)?;
            let large = self.sweep(LARGE, &self.workplace.fresh()?)?;
            let alone = runtime.block_on(async {
                Sortie::new(&self.evaluator, WIDTH)?.run(LARGE, &self.workplace).await
            })?;
            sweep.push(LARGE as f64 / large.wall.as_secs_f64());
            scheduler.push(alone.jobs_per_second());
            more.push(large.memory as f64 - small.memory as f64);
        }
        let other = Some(Other { name: "`JobScheduler` alone", values: scheduler });
        let rate = Figure {
            what: format!("`sweep` of {LARGE} native jobs, {WIDTH} at once"),
            unit: Unit::JobsPerSecond,
            sortie: sweep,
            other,
            target: Target::RatioAtLeast(0.7),
        };
        let what = format!("memory that a sweep of {LARGE} has beyond one of {SMALL}");
        Ok(vec![rate, alone(what, Unit::Bytes, more, 30.0 * MIB)])
    }

    #[expect(clippy::cast_precision_loss, reason = "less than 2^52 bytes")]
    fn report(&self, rounds: usize) -> Result<Vec<Figure>> {
        let fresh = self.workplace.fresh()?;
        self.sweep(REPORTED, &fresh)?;
        let (mut times, mut sizes) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let ran = self.tool(&fresh, &["report".as_ref(), out(&fresh).as_ref()])?;
            times.push(ran.wall.as_secs_f64());
            sizes.push(fs::metadata(out(&fresh).join("report.html"))?.len() as f64);
        }
        let time = format!("writing the report of {REPORTED} candidates");
        let size = format!("size of the report of {REPORTED} candidates");
        Ok(vec![alone(time, Unit::Seconds, times, 2.0), alone(size, Unit::Bytes, sizes, 9.5 * MIB)])
    }

    fn resume(&self, rounds: usize) -> Result<Figure> {
        let fresh = self.workplace.fresh()?;
        self.sweep(RESUMED, &fresh)?;
        let mut times = Vec::new();
        for _ in 0..rounds {
            let ran =
                self.tool(&fresh, &["sweep".as_ref(), "--resume".as_ref(), out(&fresh).as_ref()])?;
            times.push(ran.wall.as_secs_f64());
        }
        let what = format!("resuming a finished sweep of {RESUMED}");
        Ok(alone(what, Unit::Seconds, times, 2.0))
    }

    /// Sweeps so many candidates, all of which are the same file.
    fn sweep(&self, candidates: usize, fresh: &Fresh) -> Result<Ran> {
        let (settings, list) = (fresh.path().join("job.yaml"), fresh.path().join("list.jsonl"));
        // YAML takes texts as JSON has them.
        let text = |path: &Path| serde_json::to_string(path);
        let Evaluator { interpreter, program, .. } = &self.evaluator;
        let (interpreter, program) = (text(interpreter)?, text(program)?);
        fs::write(
            &settings,
            format!(
                "job_type: local\npython_executable: {interpreter}\neval_program_path: {program}\n"
            ),
        )?;
        let candidate = text(self.evaluator.candidate())?;
        let mut lines = String::new();
        for id in 0..candidates {
            writeln!(lines, "{{\"id\": \"candidate-{id}\", \"candidate\": {candidate}}}")?;
        }
        fs::write(&list, lines)?;
        let (workers, out) = (WIDTH.to_string(), out(fresh));
        let args: [&OsStr; 9] = [
            "sweep".as_ref(),
            "--config".as_ref(),
            settings.as_ref(),
            "--workers".as_ref(),
            workers.as_ref(),
            "--jsonl".as_ref(),
            list.as_ref(),
            "--out".as_ref(),
            out.as_ref(),
        ];
        let ran = self.tool(fresh, &args)?;
        let results = fs::read_to_string(out.join("results.jsonl"))?;
        let correct = results.lines().filter(|line| line.contains("\"correct\":true")).count();
        ensure!(correct == candidates, "{correct} of {candidates} candidates are correct");
        Ok(ran)
    }

    /// Runs the tool to its end.
    fn tool(&self, fresh: &Fresh, args: &[&OsStr]) -> Result<Ran> {
        let said = fresh.path().join("said");
        #[expect(clippy::disallowed_methods, reason = "xshell does not tell the process's id")]
        let mut process = Command::new(&self.sortie)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()
            .with_context(|| format!("cannot run {}", self.sortie.display()))?;
        let (from, mut memory) = (Instant::now(), 0);
        loop {
            if let Some(status) = process.try_wait()? {
                let wall = from.elapsed();
                if status.success() {
                    return Ok(Ran { wall, memory });
                }
                bail!("sortie {args:?} ends with {status}: {}", fs::read_to_string(&said)?);
            }
            memory = memory.max(processes::peak_memory(process.id()).unwrap_or(0));
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The directory of the sweep.
fn out(fresh: &Fresh) -> PathBuf {
    fresh.path().join("out")
}

/// A figure with nothing to compare it with.
fn alone(what: String, unit: Unit, sortie: Vec<f64>, most: f64) -> Figure {
    Figure { what, unit, sortie, other: None, target: Target::ValueAtMost(most) }
}
