//! The contender that sortie takes the place of, in an environment of its own.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use super::{
    cpu::Cpu,
    sample::Sample,
    venv,
    workplace::{Evaluator, Workplace},
};
use crate::workspace;

pub(crate) const PACKAGE: &str = "shinka-evolve==0.0.7";

/// A running Python with the reference's scheduler in it, see `reference.py`.
pub(crate) struct Reference {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reference {
    pub(crate) fn start(sh: &Shell, evaluator: &Evaluator) -> Result<Self> {
        let python = venv::with(sh, "reference", PACKAGE)?;
        #[expect(clippy::disallowed_methods, reason = "xshell has no pipes to a running command")]
        let mut process = Command::new(python)
            .arg(workspace::root().join("xtask/src/bench/reference.py"))
            .args([&evaluator.interpreter, &evaluator.program])
            .arg(evaluator.candidate())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("the pipes to the reference are not there");
        };
        Ok(Self { process, orders, answers: BufReader::new(answers) })
    }

    /// Runs so many jobs, so many of them at once.
    pub(crate) fn run(
        &mut self,
        jobs: usize,
        width: usize,
        workplace: &Workplace,
    ) -> Result<Sample> {
        let fresh = workplace.fresh()?;
        writeln!(self.orders, "{jobs} {width} {}", fresh.path().display())?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let number = |text: &str| Some(Duration::from_secs_f64(text.parse().ok()?));
        let (wall, cpu) = answer
            .trim_end()
            .split_once(' ')
            .and_then(|(wall, cpu)| Some((number(wall)?, number(cpu)?)))
            .with_context(|| format!("the reference answers {answer:?}, see its errors above"))?;
        let cpu = Cpu { launcher: cpu, helpers: Duration::ZERO };
        Ok(Sample { jobs, wall, cpu })
    }
}

/// It has no job at that moment.
impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
