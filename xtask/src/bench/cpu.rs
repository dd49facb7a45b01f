//! CPU time of this process and of its helper processes.

use std::{io, process, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use super::processes;

/// CPU time used in a span of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    /// By this process, all its threads.
    pub(crate) launcher: Duration,
    /// By its helper processes, the commands they run apart.
    pub(crate) helpers: Duration,
}

/// CPU time used up to a moment at which no command runs.
pub(crate) struct Meter(Cpu);

impl Meter {
    /// Starts now: looking after the helpers, which costs much itself, is not counted.
    pub(crate) fn start() -> io::Result<Self> {
        let helpers = helpers()?;
        Ok(Self(Cpu { launcher: launcher()?, helpers }))
    }

    /// What was used since.
    pub(crate) fn stop(self) -> io::Result<Cpu> {
        let launcher = launcher()?.saturating_sub(self.0.launcher);
        Ok(Cpu { launcher, helpers: helpers()?.saturating_sub(self.0.helpers) })
    }
}

impl Cpu {
    pub(crate) fn total(self) -> Duration {
        self.launcher + self.helpers
    }
}

fn launcher() -> io::Result<Duration> {
    clock_gettime(ClockId::ProcessCPUTime).try_into().map_err(io::Error::other)
}

/// The CPU time of all spawn servers below this process, of their reapers and of the servers that those
/// keep for warm evaluators, which have one thread each.
fn helpers() -> io::Result<Duration> {
    let all = processes::all()?;
    let below = |parent| all.iter().filter(move |it| it.parent == parent);
    let spawn_servers = below(process::id()).filter(|it| it.name == "sortie-warden");
    let helpers = spawn_servers.flat_map(|spawn_server| {
        let reapers = below(spawn_server.id).filter(|it| it.name == "sortie-shepherd");
        reapers.flat_map(|it| below(it.id).chain([it])).chain([spawn_server])
    });
    Ok(helpers.map(|it| processes::cpu(it.id)).sum())
}
