//! Who is compared, and how each is started.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use xshell::Shell;

use super::{How, start_ours};
use crate::bench::{driver::Driver, reference, venv, workplace::Evaluator};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Contender {
    /// The least a launcher can do
    Bare,
    /// sortie
    Cold,
    /// sortie with the evaluator kept warm
    Warm,
    /// `xargs -P`
    Xargs,
    /// The Python package `hyperqueue`
    Hyperqueue,
    /// PSI/J's local executor
    Psij,
    /// shinka-evolve
    Shinka,
    /// submitit's local executor
    Submitit,
}

impl Contender {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare spawn and wait",
            Self::Cold => "sortie",
            Self::Warm => "sortie, warm",
            Self::Xargs => "`xargs -P`",
            Self::Hyperqueue => "HyperQueue 0.27.0 (Python)",
            Self::Psij => "PSI/J 0.9.11, local",
            Self::Shinka => "shinka-evolve 0.0.7",
            Self::Submitit => "submitit 1.5.4, local",
        }
    }

    /// How many jobs are measured at several at once, and one at a time: fewer where each takes long.
    pub(super) fn jobs(self) -> (usize, usize) {
        match self {
            Self::Bare | Self::Cold | Self::Warm | Self::Xargs | Self::Psij => (100, 20),
            Self::Hyperqueue => (100, 3),
            Self::Shinka | Self::Submitit => (8, 3),
        }
    }

    /// Whether what it says of its CPU time is without the evaluators'.
    pub(super) fn tells_its_cpu(self) -> bool {
        matches!(self, Self::Cold | Self::Warm)
    }

    /// Whether its driver is the launcher, and does not only start it.
    pub(super) fn is_its_driver(self) -> bool {
        self != Self::Xargs
    }

    pub(super) fn start(self, sh: &Shell, evaluator: &Evaluator) -> Result<Driver> {
        let (name, package, driver) = match self {
            Self::Bare => return start_ours(How::Bare, evaluator),
            Self::Cold => return start_ours(How::Cold, evaluator),
            Self::Warm => return start_ours(How::Warm, evaluator),
            Self::Xargs => return Driver::python(Path::new("python3"), "xargs.py", evaluator),
            Self::Hyperqueue => ("hyperqueue", "hyperqueue==0.27.0", "hyperqueue_local.py"),
            Self::Psij => ("psij", "psij-python==0.9.11", "psij_local.py"),
            Self::Shinka => ("reference", reference::PACKAGE, "shinka_evolve.py"),
            Self::Submitit => ("submitit", "submitit==1.5.4", "submitit_local.py"),
        };
        Driver::python(&venv::with(sh, name, package)?, driver, evaluator)
    }
}
