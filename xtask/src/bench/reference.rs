//! The contender that sortie takes the place of, in an environment of its own.

use std::time::Duration;

use anyhow::Result;
use xshell::Shell;

use super::{
    driver::Driver,
    sample::Sample,
    venv,
    workplace::{Evaluator, Workplace},
};

pub(crate) const PACKAGE: &str = "shinka-evolve==0.0.7";

/// A running Python with the reference's scheduler in it, see `shinka_evolve.py`.
pub(crate) struct Reference(Driver);

impl Reference {
    pub(crate) fn start(sh: &Shell, evaluator: &Evaluator) -> Result<Self> {
        let python = venv::with(sh, "reference", PACKAGE)?;
        Ok(Self(Driver::python(&python, "shinka_evolve.py", evaluator)?))
    }

    /// Runs so many jobs, so many of them at once.
    pub(crate) fn run(
        &mut self,
        jobs: usize,
        width: usize,
        workplace: &Workplace,
    ) -> Result<Sample> {
        let mut sample = self.0.run(jobs, width, workplace)?;
        // It has no children but the evaluators.
        sample.cpu.helpers = Duration::ZERO;
        Ok(sample)
    }
}
