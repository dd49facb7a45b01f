//! Who has a lease: what the file says, and what this process says of itself.

use std::{fmt, fs, os::unix::fs::MetadataExt as _, sync::OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::AttemptId;

/// The version of the form below.
const VERSION: u32 = 1;

/// Who has a lease, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub(super) version: u32,
    /// Names this lease, and no other; nil until there is one.
    pub(super) id: AttemptId,
    /// The attempt that it was taken for, if it was.
    pub attempt: Option<AttemptId>,
    /// The subcommand of `sortie` that took it, if one did.
    pub command: Option<String>,
    /// The owner's machine, by its name …
    pub host: String,
    /// … by its id, which some machines have in common, machine-id(5) …
    pub(super) machine: Option<String>,
    /// … and by the id of its last boot, which is unique: random(4).
    pub(super) boot: Option<String>,
    /// The PID namespace that the number of the process belongs to: `pid_namespaces(7)`.
    pub(super) pid_namespace: Option<u64>,
    /// The owner's process.
    pub pid: u32,
    /// When that was started, in ticks of the machine's clock: `proc_pid_stat(5)`.
    pub started: Option<u64>,
    /// Whether it has a lock on the file, too.
    pub(super) locked: bool,
    /// When it took the lease.
    pub since: Timestamp,
}

impl Owner {
    /// This process, for an attempt or by a subcommand.
    pub fn this(attempt: Option<AttemptId>, command: Option<&str>) -> Self {
        let this = This::get();
        Self {
            version: VERSION,
            id: AttemptId::NIL,
            attempt,
            command: command.map(str::to_owned),
            host: this.host.clone(),
            machine: this.machine.clone(),
            boot: this.boot.clone(),
            pid_namespace: this.pid_namespace,
            pid: this.pid,
            started: this.started,
            locked: false,
            since: Timestamp::now(),
        }
    }

    /// Whether its process can be seen from here, by its number.
    pub fn is_here(&self) -> bool {
        let this = This::get();
        let known = self.boot.is_some() && self.pid_namespace.is_some();
        known && self.boot == this.boot && self.pid_namespace == this.pid_namespace
    }

    /// What the file of a lease says; an error where it says nothing that can be read.
    pub(super) fn read(text: &[u8]) -> Result<Self, Unreadable> {
        let versioned: Versioned = serde_json::from_slice(text).map_err(|_| Unreadable::Torn)?;
        match versioned {
            Versioned { version: Some(VERSION) } => {
                serde_json::from_slice(text).map_err(|_| Unreadable::Torn)
            }
            Versioned { version: Some(version) } => Err(Unreadable::Version(version)),
            Versioned { version: None } => Err(Unreadable::Torn),
        }
    }
}

/// As in `` `sortie submit`, process 7 on node3 since 2026-01-02T03:04:05Z ``.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(command) = &self.command {
            write!(f, "`sortie {command}`, ")?;
        }
        let since = self.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "process {} on {} since {since}", self.pid, self.host)
    }
}

/// The owner of a lease in words, be it known or not.
pub fn who(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "a process that has not said which it is".to_owned(), Owner::to_string)
}

/// Why it is not known who has a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is being written, or whoever wrote it was killed; or an earlier sortie wrote it, which always locked it.
    Torn,
    /// A later sortie wrote it.
    Version(u32),
}

#[derive(Deserialize)]
struct Versioned {
    version: Option<u32>,
}

/// What a process is known by, found out once.
pub(super) struct This {
    pub(super) host: String,
    pub(super) machine: Option<String>,
    pub(super) boot: Option<String>,
    pub(super) pid_namespace: Option<u64>,
    pid: u32,
    started: Option<u64>,
}

impl This {
    pub(super) fn get() -> &'static Self {
        static THIS: OnceLock<This> = OnceLock::new();
        THIS.get_or_init(|| {
            let line = |path| Some(fs::read_to_string(path).ok()?.trim().to_owned());
            let line = |path| line(path).filter(|line: &String| !line.is_empty());
            let pid = std::process::id();
            Self {
                host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
                machine: line("/etc/machine-id"),
                boot: line("/proc/sys/kernel/random/boot_id"),
                pid_namespace: fs::metadata("/proc/self/ns/pid").ok().map(|found| found.ino()),
                pid,
                started: started(pid),
            }
        })
    }
}

/// When a process was started, in ticks; `None` if that cannot be seen.
pub(super) fn started(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name of the process is in parentheses and may hold any character. The start is the 20th field after it.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    str::from_utf8(stat.get(end + 1..)?).ok()?.split_ascii_whitespace().nth(19)?.parse().ok()
}
