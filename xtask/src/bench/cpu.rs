//! CPU time of this process and of its helper processes.

use std::{fs, io, process, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// CPU time used in a span of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    /// By this process, all its threads.
    pub(crate) launcher: Duration,
    /// By its helper processes, the commands they run apart.
    pub(crate) helpers: Duration,
}

/// CPU time used up to a moment.
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

/// The CPU time of all wardens below this process and of their shepherds, which have one thread each.
fn helpers() -> io::Result<Duration> {
    let all: Vec<_> = fs::read_dir("/proc")?.filter_map(|entry| process(&entry.ok()?)).collect();
    let below = |parent, name| all.iter().filter(move |it| it.parent == parent && it.name == name);
    let wardens = below(process::id(), "sortie-warden");
    let helpers = wardens.flat_map(|it| below(it.id, "sortie-shepherd").chain([it]));
    Ok(helpers.map(|it| cpu(it.id)).sum())
}

struct Process {
    id: u32,
    parent: u32,
    name: String,
}

/// `None` for what is no process, or none any more.
fn process(entry: &fs::DirEntry) -> Option<Process> {
    let id = entry.file_name().to_str()?.parse().ok()?;
    // PID (NAME) STATE PARENT …, proc_pid_stat(5)
    let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { id, parent, name: name.to_owned() })
}

/// In nanoseconds, the first figure of `schedstat`: the times in `stat` are in hundredths of a second.
fn cpu(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/schedstat")).unwrap_or_default();
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
