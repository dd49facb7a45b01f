//! What a batch script tells of its attempt, in files that its launcher reads: the text of the script writes these types as JSON.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::AttemptId;

/// The version of the form: the member `version` of both files. The script's text is given it, and a reader refuses any other.
pub const VERSION: u32 = 1;

/// Where and when a batch script started: `job_start.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobStart {
    /// The attempt it runs.
    pub attempt: AttemptId,
    /// The job's id in Slurm: `123`, or `123_4` for an element of an array.
    pub job_id: String,
    /// The node's name.
    pub host: String,
    /// When it started, in seconds since 1970 by the node's clock.
    pub started_at: f64,
}

/// How a batch script ended: `job_end.json`, its last deed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobEnd {
    /// Where and when it started.
    #[serde(flatten)]
    pub start: JobStart,
    /// When it ended, in seconds since 1970 by the node's clock.
    pub ended_at: f64,
    /// CPU time that the evaluator, and what of its processes was waited for, used themselves, in seconds. 0 where
    /// the script cannot tell, as of a container.
    #[serde(default)]
    pub cpu_user_seconds: f64,
    /// The same of the CPU time that the system used for them.
    #[serde(default)]
    pub cpu_system_seconds: f64,
    /// How.
    pub end: End,
}

/// How a batch script saw its evaluator end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// The evaluator exited by itself.
    Exited {
        /// With this code.
        code: i32,
    },
    /// A signal ended the evaluator.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// The evaluator was not started.
    SetupFailed {
        /// What failed, as in `conda activate`; what it printed is in `job_log.err`.
        step: String,
        /// The status it failed with.
        status: i32,
        /// Why, where that is known: as the engine of a container says it.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The container ran out of memory.
    OutOfMemory,
    /// The container engine failed while the evaluator ran.
    EngineFailed {
        /// The status of its command.
        status: i32,
    },
    /// The script was asked to stop. Why is for Slurm's state to tell.
    Terminated {
        /// The signal that asked.
        signal: i32,
    },
    /// A log outgrew what it may hold.
    OutputLimit {
        /// What that is, in bytes.
        limit_bytes: u64,
    },
    /// Slurm started the job once more, and nothing was run.
    Restarted,
}

impl JobStart {
    /// When it started, by the node's clock.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(self.started_at).unwrap_or_default()
    }
}

impl JobEnd {
    /// How long it ran; nothing where the node's clock was set back meanwhile.
    pub fn running(&self) -> Duration {
        Duration::try_from_secs_f64(self.ended_at - self.start.started_at).unwrap_or_default()
    }
}
