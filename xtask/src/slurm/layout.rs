//! Where a cluster's files are.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use super::Flavour;
use crate::workspace;

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
        ensure!(
            dir.to_str().is_some_and(is_plain),
            "slurm.conf cannot name {}: keep the work tree where the path has letters, digits and \
             `.-_` only",
            dir.display(),
        );
        let run = if dir.as_os_str().len() <= ROOM_IN_ADDRESS {
            dir.join("run")
        } else {
            Path::new("/run").join(format!("sortie-{:016x}", hash(&dir)))
        };
        Ok(Layout { flavour, dir, run })
    }

    /// What `SLURM_CONF` names.
    pub(super) fn conf(&self) -> PathBuf {
        self.dir.join("slurm.conf")
    }

    /// A number of this cluster's own.
    pub(super) fn number(&self) -> u64 {
        hash(&self.dir)
    }

    /// The last lines of each log, under headings.
    pub(super) fn log_tails(&self) -> String {
        let logs = fs::read_dir(self.dir.join("log")).into_iter().flatten().flatten();
        let tails = logs.map(|log| {
            let text = fs::read(log.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let tail = &lines[lines.len().saturating_sub(15)..];
            format!("--- {}\n{}", log.path().display(), tail.join("\n"))
        });
        tails.collect::<Vec<_>>().join("\n")
    }
}

/// An address has 108 bytes (unix(7)); the longest in use is `run/spool/HOST_JOB.STEP`, with 10
/// digits each for job and step.
const ROOM_IN_ADDRESS: usize = 50;

fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte))
}

/// The same for the same path with every build of xtask by one toolchain.
fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
