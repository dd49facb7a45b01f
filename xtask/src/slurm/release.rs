//! Debian's releases, and a root directory of each, kept under `target`.

use std::path::PathBuf;

use anyhow::Result;
use xshell::Shell;

use crate::{roots, workspace};

/// Whose Slurm a cluster has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Release {
    /// Debian 12, with Slurm 22.05 and bash 5.2
    Bookworm,
    /// Debian 13, with Slurm 24.11 and bash 5.2
    Trixie,
    /// The one that is never finished: Slurm 26.05 and bash 5.3 at the end of 2026
    Sid,
}

/// What a root has beside the smallest Debian. Slurm's nodes call `python`, which is a package of its own.
const PACKAGES: &str = "ca-certificates,python3,python-is-python3,munge,slurmctld,slurmd,slurm-client,\
                        slurmdbd,mariadb-server,procps,iproute2";

impl Release {
    /// As Debian's mirrors call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Sid => "sid",
        }
    }

    /// Where its root is, if that was made.
    pub(super) fn root(self) -> PathBuf {
        workspace::target("slurm-roots").join(self.name())
    }

    /// Makes its root, unless it is there, in some minutes.
    pub(super) fn ensure_root(self, sh: &Shell) -> Result<()> {
        roots::ensure(sh, &self.root(), self.name(), PACKAGES)
    }
}
