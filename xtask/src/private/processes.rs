//! Processes told by what they are: pid files can be stale, missing, or name somebody else's process
//! by now.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// One that was found. It cannot be mistaken for a later one with the same number.
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) program: &'static str,
    handle: OwnedFd,
}

/// What `/proc` says of a process.
pub(crate) struct Seen {
    pid: Pid,
    parent: i32,
    /// What it is, if its program is one of those looked for.
    pub(crate) program: Option<&'static str>,
    handle: OwnedFd,
}

/// All that live now, but for zombies: what belongs there and all that descends from it.
///
/// `program` tells the programs looked for by the names of their executables' files; a process of another
/// is called what `others` says.
pub(crate) fn find(
    program: fn(&str) -> Option<&'static str>,
    others: &'static str,
    belongs: impl Fn(&Seen) -> bool,
) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let seen = pids.filter_map(|pid: i32| Some((pid, Seen::of(pid, program)?)));
    let mut all: BTreeMap<i32, (Seen, bool)> = seen
        .map(|(pid, seen)| {
            let belongs = belongs(&seen);
            (pid, (seen, belongs))
        })
        .collect();
    let mut chosen: Vec<i32> = all.keys().copied().filter(|pid| descends(&all, *pid)).collect();
    let chosen = chosen.drain(..).filter_map(|pid| all.remove(&pid));
    chosen
        .map(|(Seen { pid, program, handle, .. }, _)| Process {
            pid,
            program: program.unwrap_or(others),
            handle,
        })
        .collect()
}

fn descends(all: &BTreeMap<i32, (Seen, bool)>, pid: i32) -> bool {
    let line = std::iter::successors(all.get(&pid), |(seen, _)| all.get(&seen.parent));
    line.into_iter().any(|(_, belongs)| *belongs)
}

impl Process {
    /// One that has ended already is none the worse for it.
    fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}

impl Seen {
    /// `None` for zombies and for the kernel's own, which have no executable.
    fn of(number: i32, program: fn(&str) -> Option<&'static str>) -> Option<Self> {
        let pid = Pid::from_raw(number)?;
        // Before anything is read: what is read of a later process with the number does no harm, as
        // the handle is for the earlier one.
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let mut seen = Self { pid, parent: 0, program: None, handle };
        let executable = seen.link("exe")?;
        seen.program = program(executable.file_name()?.to_str().unwrap_or_default());
        let stat = seen.read("stat");
        // After the name, which may hold anything: state, parent (proc(5)).
        let stat = String::from_utf8_lossy(&stat);
        seen.parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some(seen)
    }

    /// Whether its arguments name something in a directory.
    pub(crate) fn names(&self, dir: &Path) -> bool {
        contains(&self.read("cmdline"), dir.join("").as_os_str().as_encoded_bytes())
    }

    /// Whether a directory, or one in it, is its working directory.
    pub(crate) fn works_in(&self, dir: &Path) -> bool {
        self.link("cwd").is_some_and(|cwd| cwd.starts_with(dir))
    }

    /// Whether it lives in the same PID namespace as another.
    pub(crate) fn is_in_namespace_of(&self, other: Pid) -> bool {
        let theirs = fs::read_link(format!("/proc/{}/ns/pid", other.as_raw_nonzero())).ok();
        theirs.is_some() && self.link("ns/pid") == theirs
    }

    /// Whether one of the variables it was started with fits.
    pub(crate) fn has_variable(&self, fits: impl Fn(&[u8]) -> bool) -> bool {
        self.read("environ").split(|byte| *byte == 0).any(fits)
    }

    /// One of its files under `/proc`; empty if that cannot be read.
    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap_or_default()
    }

    fn link(&self, file: &str) -> Option<PathBuf> {
        fs::read_link(self.path(file)).ok()
    }

    fn path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.pid.as_raw_nonzero())
    }
}

/// The first process of a PID namespace below this one, told by a variable that it was started with.
pub(crate) fn first_of_namespace(variable: &[u8]) -> Option<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find_map(|number: i32| {
        let seen = Seen::of(number, |_| None)?;
        // Its numbers from this namespace to its own (proc(5)).
        let status = seen.read("status");
        let numbers =
            status.split(|byte| *byte == b'\n').find_map(|it| it.strip_prefix(b"NSpid:"))?;
        let is_first = numbers.trim_ascii().ends_with(b"\t1");
        (is_first && seen.has_variable(|it| it == variable)).then_some(seen.pid)
    })
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Signals those meant, once each, and those that appear meanwhile too; whether all are gone in time. Not
/// waited for are those that nothing is done about, as none of them is meant.
pub(crate) fn gone(
    living: impl Fn() -> Vec<Process>,
    signal: Signal,
    meant: impl Fn(&Process) -> bool,
    patience: Duration,
) -> bool {
    let deadline = Instant::now() + patience;
    let mut signalled = Vec::new();
    loop {
        let living = living();
        if living.is_empty() {
            return true;
        }
        if Instant::now() > deadline || !living.iter().any(&meant) && signalled.is_empty() {
            return false;
        }
        for process in living.iter().filter(|process| meant(process)) {
            if !signalled.contains(&process.pid) {
                process.signal(signal);
                signalled.push(process.pid);
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// As in `dockerd 7, containerd 9`.
pub(crate) fn list(processes: &[Process]) -> String {
    let names: Vec<_> =
        processes.iter().map(|it| format!("{} {}", it.program, it.pid.as_raw_nonzero())).collect();
    names.join(", ")
}
