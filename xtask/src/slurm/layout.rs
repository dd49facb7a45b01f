//! Where a cluster's files are.

use std::{fs, path::PathBuf};

use anyhow::Result;

use super::Flavour;
use crate::{private, workspace};

/// The directories of one cluster.
pub(super) struct Layout {
    pub(super) flavour: Flavour,
    /// Settings, state and logs.
    pub(super) dir: PathBuf,
    /// Sockets and pid files; in `dir`, unless that is too long for a socket's address.
    pub(super) run: PathBuf,
}

impl Layout {
    pub(super) fn of(flavour: Flavour) -> Result<Layout> {
        let dir = workspace::target(match flavour {
            Flavour::Plain => "slurm",
            Flavour::Accounting => "slurm-accounting",
        });
        private::ensure_plain("slurm.conf", &dir)?;
        let run = private::sockets(&dir, ROOM_IN_ADDRESS);
        Ok(Layout { flavour, dir, run })
    }

    /// What `SLURM_CONF` names.
    pub(super) fn conf(&self) -> PathBuf {
        self.dir.join("slurm.conf")
    }

    /// A number of this cluster's own.
    pub(super) fn number(&self) -> u64 {
        private::hash(&self.dir)
    }

    /// The last lines of each log, under headings.
    pub(super) fn log_tails(&self) -> String {
        let logs = fs::read_dir(self.dir.join("log")).into_iter().flatten().flatten();
        let tails = logs.map(|log| private::tail(&log.path()));
        tails.collect::<Vec<_>>().join("\n")
    }
}

/// The longest address in use is `run/spool/HOST_JOB.STEP`, with 10 digits each for job and step.
const ROOM_IN_ADDRESS: usize = 50;
