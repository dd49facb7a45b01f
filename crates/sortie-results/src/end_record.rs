//! What a batch script tells of its start and end: `job_start.json` and `job_end.json`.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use thiserror::Error;

use crate::{AttemptId, Place, Unusable, names};

/// The form that is read: the member `version` of both files.
const VERSION: u32 = 1;

/// What either file may hold, in bytes: a few hundred are usual.
const LIMIT: u64 = 16 << 10;

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

/// Why a record of the start or end cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndRecordError {
    /// The file cannot be used.
    #[error("{} {why}", .file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: Unusable,
    },
    /// It is no JSON of this form.
    #[error("{} is no record of a job: {problem}", .file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another version of sortie wrote it.
    #[error("{} has version {found}, this sortie reads version {VERSION}: use the sortie that the job was submitted with", .file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It tells of another attempt.
    #[error("{} is of attempt {found}, not of {expected}", .file.display())]
    Attempt {
        /// The file.
        file: PathBuf,
        /// Whose it is.
        found: AttemptId,
        /// Whose was looked for.
        expected: AttemptId,
    },
}

impl EndRecordError {
    /// Whether it may be read later: the operating system would not let it be read now.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unusable { why: Unusable::Unreadable(_), .. })
    }
}

impl JobStart {
    /// When it started, by the node's clock.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(self.started_at).unwrap_or_default()
    }

    /// Reads an attempt's `job_start.json` in this results dir; `None` where there is none yet, or not all of it.
    ///
    /// As all that is read from a results dir: a regular file of a bearable size, or an error.
    pub fn load(results_dir: &Path, attempt: AttemptId) -> Result<Option<Self>, EndRecordError> {
        Self::at(&Place::of(results_dir), attempt)
    }

    /// The same where it is known already where the launcher's directory is.
    pub fn at(place: &Place, attempt: AttemptId) -> Result<Option<Self>, EndRecordError> {
        let is_whole = |bytes: &[u8]| bytes.ends_with(b"\n");
        read(place, names::JOB_START, is_whole, attempt, |start: &Self| start.attempt)
    }
}

impl JobEnd {
    /// How long it ran; nothing where the node's clock was set back meanwhile.
    pub fn running(&self) -> Duration {
        Duration::try_from_secs_f64(self.ended_at - self.start.started_at).unwrap_or_default()
    }

    /// Reads an attempt's `job_end.json` in this results dir; see [`JobStart::load`].
    pub fn load(results_dir: &Path, attempt: AttemptId) -> Result<Option<Self>, EndRecordError> {
        Self::at(&Place::of(results_dir), attempt)
    }

    /// The same where it is known already where the launcher's directory is.
    pub fn at(place: &Place, attempt: AttemptId) -> Result<Option<Self>, EndRecordError> {
        // It is put there in one step.
        let is_whole = |_: &[u8]| true;
        read(place, names::JOB_END, is_whole, attempt, |end: &Self| end.start.attempt)
    }
}

impl Place {
    /// Whether there is anything that could be a `job_end.json`, so that reading it is worth while: one system
    /// call.
    pub fn may_have_ended(&self) -> bool {
        self.state.join(names::JOB_END).symlink_metadata().is_ok()
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn read<T: for<'de> Deserialize<'de>>(
    place: &Place,
    name: &'static str,
    is_whole: impl FnOnce(&[u8]) -> bool,
    expected: AttemptId,
    attempt: impl FnOnce(&T) -> AttemptId,
) -> Result<Option<T>, EndRecordError> {
    let dir = place.open_state().map_err(Unusable::from);
    let file = place.state.join(name);
    let bytes = match dir.and_then(|dir| dir.read(name, LIMIT)) {
        Ok(bytes) if is_whole(&bytes) => bytes,
        Ok(_) | Err(Unusable::Missing) => return Ok(None),
        Err(why) => return Err(EndRecordError::Unusable { file, why }),
    };
    let broken = |error: serde_json::Error| EndRecordError::Broken {
        file: file.clone(),
        problem: error.to_string(),
    };
    // A reason may quote what is no text.
    let bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
    // The version first: the rest of another one may look different.
    let Versioned { version: found } = serde_json::from_slice(&bytes).map_err(broken)?;
    if found != VERSION {
        return Err(EndRecordError::Version { file, found });
    }
    let record = serde_json::from_slice(&bytes).map_err(broken)?;
    let found = attempt(&record);
    if found != expected {
        return Err(EndRecordError::Attempt { file, found, expected });
    }
    Ok(Some(record))
}
