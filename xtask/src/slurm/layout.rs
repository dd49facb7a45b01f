//! Where a cluster's files are.

use std::{fs, path::PathBuf};

use anyhow::Result;

use super::{Flavour, release::Release};
use crate::{private, workspace};

/// The directories of one cluster.
pub(super) struct Layout {
    pub(super) flavour: Flavour,
    /// Whose Slurm it is: this machine's own, or a release's, which then runs in a root of that.
    pub(super) release: Option<Release>,
    /// Settings, state and logs. Its path is the same in a root.
    pub(super) dir: PathBuf,
    /// Sockets and pid files, as the daemons call it; in `dir`, unless that is too long for a socket's
    /// address, or they have a root of their own.
    pub(super) run: PathBuf,
}

impl Layout {
    pub(super) fn of(flavour: Flavour, release: Option<Release>) -> Result<Layout> {
        let parts = ["slurm"].into_iter().chain(release.map(Release::name));
        let parts = parts.chain((flavour == Flavour::Accounting).then_some("accounting"));
        let dir = workspace::target(&parts.collect::<Vec<_>>().join("-"));
        private::ensure_plain("slurm.conf", &dir)?;
        let run = match release {
            Some(_) => PathBuf::from("/run"),
            None => private::sockets(&dir, ROOM_IN_ADDRESS),
        };
        Ok(Layout { flavour, release, dir, run })
    }

    /// What `SLURM_CONF` names.
    pub(super) fn conf(&self) -> PathBuf {
        self.dir.join("slurm.conf")
    }

    /// What is mounted over directories of the root.
    pub(super) fn over(&self, path: &str) -> PathBuf {
        self.dir.join("over").join(path)
    }

    /// The same directory as `run`, as this process sees it.
    pub(super) fn run_from_here(&self) -> PathBuf {
        if self.release.is_some() { self.over("run") } else { self.run.clone() }
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

/// The longest address in use is `run/spool/NODE/NODE_JOB.STEP`, with 10 digits each for job and step.
const ROOM_IN_ADDRESS: usize = 50;
