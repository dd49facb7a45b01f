//! How an attempt ended, and whose fault it is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an attempt ended.
///
/// In JSON an object with a `kind`: `{"kind": "exited", "code": 0}`,
/// `{"kind": "signaled", "signal": 11, "name": "SIGSEGV"}`, `{"kind": "cancelled"}` and so on. As
/// text, a few words without a full stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The evaluator exited by itself.
    Exited {
        /// With this code.
        code: i32,
    },
    /// A signal ended the evaluator, one that was not a limit's.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// The signal's name, as in `SIGSEGV`.
        name: String,
    },
    /// It ran into its time limit and was stopped.
    TimedOut {
        /// The limit, in seconds.
        limit_seconds: f64,
    },
    /// It ran out of memory and was killed for it.
    OutOfMemory,
    /// One of its logs grew beyond what is allowed, and it was stopped.
    OutputLimit {
        /// What a log may hold, in bytes.
        limit_bytes: u64,
    },
    /// Someone who may asked for it to be stopped.
    Cancelled,
    /// It could not be started.
    NotStarted {
        /// Why, in one line.
        reason: String,
        /// Whose fault that is.
        fault: Fault,
    },
    /// The environment the evaluator needs could not be set up, so it was not run.
    SetupFailed {
        /// Why, in one line.
        reason: String,
        /// Whose fault that is.
        fault: Fault,
    },
    /// The cluster did not take the job.
    SubmitFailed {
        /// Why, in one line.
        reason: String,
        /// Whose fault that is.
        fault: Fault,
    },
    /// The machine it ran on failed.
    NodeFailed {
        /// Why, in one line.
        reason: String,
    },
    /// The cluster stopped it to make room.
    Preempted,
    /// What became of it cannot be known.
    Lost {
        /// Why, in one line.
        reason: String,
    },
}

/// Whose fault it is that an attempt went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The candidate's: it crashed, ran into a limit, or its evaluation left no usable result.
    Candidate,
    /// Something that the user has to mend.
    Setup,
    /// The machine's or the cluster's. Only such an attempt is worth another try.
    Infrastructure,
}

impl Outcome {
    /// A signal ended it; the name is looked up.
    pub fn signaled(signal: i32) -> Self {
        Self::Signaled { signal, name: signal_name(signal) }
    }

    /// It could not be started, for something that the user has to mend.
    pub fn not_started(reason: impl Into<String>) -> Self {
        Self::NotStarted { reason: reason.into(), fault: Fault::Setup }
    }

    /// Whether the evaluator ran and ended so, of which its log can say more.
    pub fn is_of_the_evaluator(&self) -> bool {
        matches!(
            self,
            Self::Exited { .. }
                | Self::Signaled { .. }
                | Self::TimedOut { .. }
                | Self::OutOfMemory
                | Self::OutputLimit { .. }
        )
    }

    /// Its `kind`, as in its JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Exited { .. } => "exited",
            Self::Signaled { .. } => "signaled",
            Self::TimedOut { .. } => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::OutputLimit { .. } => "output_limit",
            Self::Cancelled => "cancelled",
            Self::NotStarted { .. } => "not_started",
            Self::SetupFailed { .. } => "setup_failed",
            Self::SubmitFailed { .. } => "submit_failed",
            Self::NodeFailed { .. } => "node_failed",
            Self::Preempted => "preempted",
            Self::Lost { .. } => "lost",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit code {code}"),
            Self::Signaled { name, .. } => write!(f, "killed by {name}"),
            Self::TimedOut { limit_seconds } => {
                write!(f, "stopped at its time limit of {limit_seconds} s")
            }
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::OutputLimit { limit_bytes } => {
                write!(f, "stopped because a log grew beyond {limit_bytes} bytes")
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::NotStarted { reason, .. } => write!(f, "not started: {reason}"),
            Self::SetupFailed { reason, .. } => write!(f, "set-up failed: {reason}"),
            Self::SubmitFailed { reason, .. } => write!(f, "submit failed: {reason}"),
            Self::NodeFailed { reason } => write!(f, "node failed: {reason}"),
            Self::Preempted => f.write_str("preempted"),
            Self::Lost { reason } => write!(f, "lost: {reason}"),
        }
    }
}

/// The standard signals of Linux, from 1 on, as numbered on every architecture but Alpha, SPARC,
/// MIPS and PA-RISC (`signal(7)`).
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// `signal 70` where there is no name, as for real-time signals.
fn signal_name(signal: i32) -> String {
    let name = usize::try_from(signal - 1).ok().and_then(|index| SIGNALS.get(index));
    name.map_or_else(|| format!("signal {signal}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_their_names() {
        let names = [0, 1, 9, 11, 15, 31, 32, 34, -1].map(signal_name);
        let expected = ["signal 0", "SIGHUP", "SIGKILL", "SIGSEGV", "SIGTERM", "SIGSYS"];
        assert_eq!(names[..6], expected);
        assert_eq!(names[6..], ["signal 32", "signal 34", "signal -1"]);
    }

    #[test]
    fn json_is_stable_and_read_back() {
        let reason = || "why".to_owned();
        let outcomes = [
            Outcome::Exited { code: 3 },
            Outcome::signaled(11),
            Outcome::TimedOut { limit_seconds: 1.5 },
            Outcome::OutOfMemory,
            Outcome::OutputLimit { limit_bytes: 1 << 30 },
            Outcome::Cancelled,
            Outcome::not_started("why"),
            Outcome::SetupFailed { reason: reason(), fault: Fault::Infrastructure },
            Outcome::SubmitFailed { reason: reason(), fault: Fault::Setup },
            Outcome::NodeFailed { reason: reason() },
            Outcome::Preempted,
            Outcome::Lost { reason: reason() },
        ];
        let lines = outcomes.iter().map(|outcome| {
            let json = serde_json::to_string(outcome).unwrap();
            assert_eq!(&serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
            assert_eq!(serde_json::to_value(outcome).unwrap()["kind"], outcome.kind());
            format!("{json}\n  {outcome}\n")
        });
        insta::assert_snapshot!(lines.collect::<String>());
    }
}
