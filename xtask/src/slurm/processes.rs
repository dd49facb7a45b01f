//! The processes of a cluster, told by what they are: pid files can be stale, missing, or name
//! somebody else's process by now.
//!
//! - A daemon has one of the known programs as its executable, and the cluster's directory in its
//!   arguments or as its working directory. (Slurm's daemons change to that of their log.)
//! - A job's process descends from one, or has Slurm's variables of a job of this cluster.

use std::{collections::BTreeMap, fs, os::fd::OwnedFd, path::Path};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::layout::Layout;

/// The programs; Debian's alternatives have a suffix after `-`.
const DAEMONS: &[&str] = &["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "slurmstepd"];

/// In place of a daemon's name, for a process of a job.
const JOB: &str = "(job)";

/// One that belongs to the cluster. It cannot be mistaken for a later one with the same number.
pub(super) struct Process {
    pub(super) pid: Pid,
    /// A daemon's name, or `(job)`.
    pub(super) program: &'static str,
    handle: OwnedFd,
}

impl Process {
    /// One that has ended already is none the worse for it.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}

/// All that live now, but for zombies.
pub(super) fn of(layout: &Layout) -> Vec<Process> {
    let all = Seen::all();
    let belongs = |seen: &Seen| seen.is_daemon(layout) || seen.is_job(layout);
    all.values()
        .filter(|seen| belongs(seen) || seen.ancestors(&all).any(belongs))
        .filter_map(Seen::open)
        .collect()
}

/// What `/proc` says of a process.
struct Seen {
    pid: i32,
    stat: Stat,
    program: Option<&'static str>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
struct Stat {
    parent: i32,
    /// In clock ticks since boot: with the pid, unique.
    start: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Stat> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name, which may hold anything: state, parent, and start as the 20th (proc(5)).
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(1);
        Some(Stat { parent: fields.next()?.parse().ok()?, start: fields.nth(17)?.parse().ok()? })
    }
}

impl Seen {
    fn all() -> BTreeMap<i32, Seen> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid| Some((pid, Seen::of(pid)?))).collect()
    }

    /// `None` for zombies and for the kernel's own, which have no executable.
    fn of(pid: i32) -> Option<Seen> {
        let stat = Stat::of(pid)?;
        let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = executable.file_name()?.to_str().unwrap_or_default();
        let name = name.split(['-', ' ']).next()?;
        let program = DAEMONS.iter().find(|daemon| **daemon == name).copied();
        Some(Seen { pid, stat, program })
    }

    fn is_daemon(&self, layout: &Layout) -> bool {
        let dir = layout.dir.join("");
        let dir = dir.as_os_str().as_encoded_bytes();
        self.program.is_some()
            && (self.works_in(&layout.dir)
                || self.has("cmdline", |argument| argument.windows(dir.len()).any(|it| it == dir)))
    }

    fn is_job(&self, layout: &Layout) -> bool {
        let conf = layout.conf();
        let conf = conf.as_os_str().as_encoded_bytes();
        self.has("environ", |variable| variable.starts_with(b"SLURM_JOB_ID="))
            && self.has("environ", |it| it.strip_prefix(b"SLURM_CONF=") == Some(conf))
    }

    fn works_in(&self, dir: &Path) -> bool {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).is_ok_and(|cwd| cwd.starts_with(dir))
    }

    fn has(&self, list: &str, fits: impl Fn(&[u8]) -> bool) -> bool {
        let bytes = fs::read(format!("/proc/{}/{list}", self.pid)).unwrap_or_default();
        bytes.split(|byte| *byte == 0).any(fits)
    }

    fn ancestors<'a>(&self, all: &'a BTreeMap<i32, Seen>) -> impl Iterator<Item = &'a Seen> {
        let parent = |seen: &Seen| all.get(&seen.stat.parent);
        std::iter::successors(parent(self), move |seen| parent(seen))
    }

    fn open(&self) -> Option<Process> {
        let pid = Pid::from_raw(self.pid)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Still the one that was seen, so what was seen is true of what the handle is for.
        (Stat::of(self.pid)?.start == self.stat.start).then(|| Process {
            pid,
            program: self.program.unwrap_or(JOB),
            handle,
        })
    }
}
