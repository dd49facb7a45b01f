//! The containers of a run, as their engine tells of them.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::docker::Engine;

/// Those that this process had made, told by their label.
pub(super) struct Containers {
    /// How many there have been, one for each attempt.
    pub(super) made: usize,
    /// The names of those that are still there, running or not.
    pub(super) left: Vec<String>,
}

impl Containers {
    /// Those made since a moment. The engine remembers 256 events, a dozen for each container.
    pub(super) fn since(sh: &Shell, engine: &Engine, from: Duration) -> Result<Self> {
        let host = sh.read_file("/proc/sys/kernel/hostname")?;
        let launcher = format!("process {} on {}", std::process::id(), host.trim());
        let label = format!("label=sortie.launcher={launcher}");
        let moment = |at: Duration| format!("{}.{:09}", at.as_secs(), at.subsec_nanos());
        let made = engine
            .docker(sh)
            .args(["events", "--since", &moment(from), "--until", &moment(now()?)])
            .args(["--filter", "event=create", "--filter", &label, "--format", "{{.ID}}"])
            .read()?;
        let left = engine
            .docker(sh)
            .args(["ps", "--all", "--filter", &label, "--format", "{{.Names}}"])
            .read()?;
        Ok(Self { made: made.lines().count(), left: left.lines().map(str::to_owned).collect() })
    }

    /// Fails if there is one, or if there have not been so many that one would have been seen.
    pub(super) fn ensure_none_left(&self, candidates: usize) -> Result<()> {
        let Self { made, left } = self;
        ensure!(*made >= candidates, "{made} containers were made for {candidates} candidates");
        ensure!(left.is_empty(), "containers are left: {}", left.join(", "));
        Ok(())
    }
}

/// Since 1970.
pub(super) fn now() -> Result<Duration> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?)
}
