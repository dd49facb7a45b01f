//! A template: a process that has done its set-up once and forks itself for each command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Environment;

/// How a [`Command`](crate::Command) can be had from a template instead of being executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromTemplate {
    /// The template that forks it.
    pub template: Arc<Template>,
    /// What the forked process is told, in place of a command line. Working directory and variables
    /// are those the template has by then.
    pub args: Vec<OsString>,
}

/// The program that serves as a template, and when it is replaced. Equal templates are
/// interchangeable.
///
/// Each template belongs to one reaper, which starts it, asks it for one command at a time and
/// ends it. The program finds a socket at file descriptor [`Template::SOCKET`] and says, in lines:
///
/// | it says | meaning |
/// | --- | --- |
/// | `ready` | its set-up is done |
/// | `refuse REASON` | it must not be forked, now or ever |
/// | `changed REASON` | it is out of date: a new one is to take its place |
/// | `pid PID` | this process is the command, and waits for the word to go |
/// | `ended STATUS USER SYSTEM PEAK TIME` | the command has ended: its status and what it used, as `wait4(2)` tells them, in µs and KiB; and when, in µs of `CLOCK_MONOTONIC` (may be left out) |
///
/// Once ready it gets requests: the length of the arguments in bytes (little-endian `u32`), the
/// arguments, each ended by a NUL, and with the first byte three files: standard output, standard
/// error and the end of a pipe. The process it answers with is its child, and leads a session of its
/// own. That starts when a byte comes down the pipe, and ends if the pipe does: a command never runs
/// without its reaper knowing. Before it says so, it has the kernel kill it when its template ends
/// (`PR_SET_PDEATHSIG`, prctl(2)): one that is killed takes its command along, which is lost then.
///
/// Its standard output and error are regular files, of which nothing is kept; a process made from it
/// may repeat what they hold at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The program: a path, or a name looked up in the `PATH` of [`Template::env`].
    pub program: OsString,
    /// Its arguments, the program's own name not among them.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Environment,
    /// The directory it starts in; absolute.
    pub cwd: PathBuf,
    /// The CPUs that it is bound to, and with it all that is forked, by their numbers; empty for those of the launcher.
    pub cpus: Vec<u32>,
    /// How many there may be at a time; commands beyond that are executed.
    pub most: usize,
    /// How long its set-up may take.
    pub patience: Duration,
    /// How long it is kept without being asked.
    pub idle: Duration,
    /// How many commands it is asked for before it is replaced.
    pub commands: u32,
    /// By how many bytes its resident memory may grow before it is replaced.
    pub growth: u64,
}

impl Template {
    /// The file descriptor at which the program finds its socket. File descriptor 3 is where a
    /// [`Command`](crate::Command) would announce that it is ready; nobody listens there.
    pub const SOCKET: i32 = 4;
}
