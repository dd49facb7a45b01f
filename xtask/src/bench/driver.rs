//! A launcher in a process of its own, told on its standard input what to run: see `driving.py`.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    cpu::Cpu,
    processes,
    sample::Sample,
    workplace::{Evaluator, Workplace},
};
use crate::workspace;

/// How long jobs may take to start, on a busy machine and with a slow launcher.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(10);

/// A running driver, which has no job between orders.
pub(crate) struct Driver {
    process: Child,
    /// `None` once it is to leave.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts one of the drivers in Python.
    pub(crate) fn python(python: &Path, driver: &str, evaluator: &Evaluator) -> Result<Self> {
        let driver = workspace::root().join("xtask/src/bench/launchers").join(driver);
        Self::start(python, &[driver.into()], evaluator)
    }

    /// Starts a driver, whose arguments end in the interpreter, the evaluator and the candidate.
    pub(crate) fn start(program: &Path, args: &[OsString], evaluator: &Evaluator) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "xshell has no pipes to a running command")]
        let mut process = Command::new(program)
            .args(args)
            .args([&evaluator.interpreter, &evaluator.program])
            .arg(evaluator.candidate())
            // As sortie sets them for its evaluators.
            .envs([("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "utf-8")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("the pipes to the driver are not there");
        };
        Ok(Self { process, orders: Some(orders), answers: BufReader::new(answers) })
    }

    /// Runs so many jobs, so many of them at once. The children's CPU time is that of the helpers.
    pub(crate) fn run(
        &mut self,
        jobs: usize,
        width: usize,
        workplace: &Workplace,
    ) -> Result<Sample> {
        let fresh = workplace.fresh()?;
        self.order(jobs, width, fresh.path())?;
        self.answer(jobs, fresh.path())
    }

    /// How much memory its processes have, itself among them, in bytes, while so many jobs run at
    /// once: those of an evaluator that can be held. Also how much of that it has itself.
    pub(crate) fn memory(&mut self, width: usize, workplace: &Workplace) -> Result<Memory> {
        let fresh = workplace.fresh()?;
        let hold = File::create(fresh.path().join("hold"))?;
        hold.lock()?;
        self.order(width, width, fresh.path())?;
        let until = Instant::now() + PATIENCE;
        while !(0..width).all(|job| fresh.results_dir(job).join("held").exists()) {
            ensure!(Instant::now() < until, "not all of {width} jobs have started");
            thread::sleep(PAUSE);
        }
        let memory = self.memory_now()?;
        hold.unlock()?;
        self.answer(width, fresh.path())?;
        Ok(memory)
    }

    /// The same at this moment, whatever it does.
    pub(crate) fn memory_now(&self) -> Result<Memory> {
        let id = self.process.id();
        Ok(Memory { all: processes::memory_of_tree(id)?, own: processes::memory(id)? })
    }

    fn order(&mut self, jobs: usize, width: usize, dir: &Path) -> Result<()> {
        let orders = self.orders.as_mut().context("the driver is to leave")?;
        Ok(writeln!(orders, "{jobs} {width} {}", dir.display())?)
    }

    /// Reads the answer, and looks whether every job has left its results.
    fn answer(&mut self, jobs: usize, dir: &Path) -> Result<Sample> {
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let numbers: Vec<_> = answer.split_whitespace().map_while(|it| it.parse().ok()).collect();
        let [wall, own, children] = numbers[..] else {
            bail!("the driver answers {answer:?}, see its errors above");
        };
        for job in 0..jobs {
            let file: PathBuf = dir.join(job.to_string()).join("correct.json");
            let text = fs::read_to_string(&file);
            let text = text.with_context(|| format!("cannot read {}", file.display()))?;
            ensure!(text.contains("true"), "{} says {text}", file.display());
        }
        let seconds = Duration::from_secs_f64;
        let cpu = Cpu { launcher: seconds(own), helpers: seconds(children) };
        Ok(Sample { jobs, wall: seconds(wall), cpu })
    }
}

/// It leaves once it has no more orders; one that does not is killed.
impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.orders.take());
        let until = Instant::now() + Duration::from_secs(10);
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(PAUSE);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Proportional set sizes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Of a process and all below it.
    pub(crate) all: u64,
    /// Of the process.
    pub(crate) own: u64,
}
