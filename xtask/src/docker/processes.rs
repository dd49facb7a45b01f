//! The processes of the engine, told by what they are: pid files can be stale, missing, or name
//! somebody else's process by now.
//!
//! - One of the engine's has a known program as its executable, and one of the engine's directories in
//!   its arguments.
//! - A container's descends from one of those, or is in the engine's control group.

use std::{collections::BTreeMap, fs, os::fd::OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::layout::Layout;

const ENGINE: &[&str] = &["dockerd", "containerd", "containerd-shim-runc-v2", "conmon"];

/// In place of a program's name, for a process of a container.
const CONTAINER: &str = "(container)";

/// One that belongs to the engine.
pub(super) struct Process {
    pub(super) pid: Pid,
    /// The engine's program, or `(container)`.
    pub(super) program: &'static str,
    parent: i32,
    belongs: bool,
    handle: OwnedFd,
}

/// All that live now, but for zombies.
pub(super) fn of(layout: &Layout) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut all: BTreeMap<i32, Process> =
        pids.filter_map(|pid| Some((pid, Process::see(pid, layout)?))).collect();
    let mut chosen: Vec<i32> = all.keys().copied().filter(|pid| descends(&all, *pid)).collect();
    chosen.drain(..).filter_map(|pid| all.remove(&pid)).collect()
}

fn descends(all: &BTreeMap<i32, Process>, pid: i32) -> bool {
    let line = std::iter::successors(all.get(&pid), |process| all.get(&process.parent));
    line.into_iter().any(|process| process.belongs)
}

impl Process {
    /// One that has ended already is none the worse for it.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// `None` for zombies and for the kernel's own, which have no executable.
    fn see(number: i32, layout: &Layout) -> Option<Process> {
        let pid = Pid::from_raw(number)?;
        // Before anything is read: what is read of a later process with the number does no harm, as
        // the handle is for the earlier one.
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let executable = fs::read_link(format!("/proc/{number}/exe")).ok()?;
        let name = executable.file_name()?.to_str()?;
        let program = ENGINE.iter().find(|program| **program == name).copied();
        let read = |file: &str| fs::read(format!("/proc/{number}/{file}")).unwrap_or_default();
        let stat = String::from_utf8_lossy(&read("stat")).into_owned();
        // After the name, which may hold anything: state, parent (proc(5)).
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        let names_engine = || {
            let arguments = read("cmdline");
            let dirs = [&layout.dir, &layout.run];
            dirs.iter().any(|dir| contains(&arguments, dir.join("").as_os_str().as_encoded_bytes()))
        };
        let in_group = || contains(&read("cgroup"), format!("{}/", layout.cgroup).as_bytes());
        let belongs = program.map_or_else(in_group, |_| names_engine());
        Some(Process { pid, program: program.unwrap_or(CONTAINER), parent, belongs, handle })
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
