//! How a command ended.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What is known of a command once its last process is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// How its first process came about.
    pub start: Start,
    /// How its first process ended.
    pub status: Status,
    /// Why sortie stopped it, if sortie did.
    pub stopped: Option<Stopped>,
    /// Whether a SIGKILL that sortie did not send ended the command, and the kernel's out-of-memory
    /// killer was at work anywhere on the machine while it ran, or in the quarter of a second before.
    pub out_of_memory: bool,
    /// Whether it announced that it was ready; true for a command that does not announce.
    pub ready: bool,
    /// Processes it left behind that had to be ended by a signal.
    pub stragglers: u32,
    /// What the whole tree used.
    pub usage: Usage,
    /// When it was started.
    pub started_at: SystemTime,
    /// From its start until its last process was gone.
    pub running: Duration,
}

/// How the first process of a command came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// Its program was executed: it has no template, or as many as it may have were busy.
    Cold,
    /// A template forked it that was there already.
    Warm,
    /// A template forked it that was started for it.
    Fresh,
    /// Its program was executed, as its template was of no use.
    Fallback {
        /// What is wrong with the template.
        reason: String,
    },
}

impl Start {
    /// Whether a template forked it.
    pub(crate) fn is_forked(&self) -> bool {
        matches!(self, Self::Warm | Self::Fresh)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

/// Why sortie stopped a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopped {
    /// It ran into [`Limits::time`](crate::Limits::time).
    TimeLimit,
    /// A log grew beyond [`Limits::log_bytes`](crate::Limits::log_bytes); the log was cut there.
    LogLimit,
    /// The launcher asked for it, or is gone.
    Asked,
}

/// What a process tree used, as `wait4(2)` counts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user mode, all processes together.
    pub user: Duration,
    /// CPU time in the kernel, all processes together.
    pub system: Duration,
    /// The largest resident set of any one of its processes, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    /// Adds what another process of the tree used.
    pub(crate) fn add(&mut self, other: &Self) {
        self.user += other.user;
        self.system += other.system;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }
}
