//! Reads what a batch script tells of its start and end: `job_start.json` and `job_end.json`.

use std::path::PathBuf;

use serde::Deserialize;
use sortie_model::protocol::VERSION;
use thiserror::Error;

use crate::{AttemptId, JobEnd, JobStart, Place, Unusable, names};

/// What either file may hold, in bytes: a few hundred are usual.
const LIMIT: u64 = 16 << 10;

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

impl Place {
    /// Reads the attempt's `job_start.json`; `None` where there is none yet, or not all of it.
    ///
    /// As all that is read from a results dir: a regular file of a bearable size, or an error.
    pub fn job_start(&self, attempt: AttemptId) -> Result<Option<JobStart>, EndRecordError> {
        let is_whole = |bytes: &[u8]| bytes.ends_with(b"\n");
        read(self, names::JOB_START, is_whole, attempt, |start: &JobStart| start.attempt)
    }

    /// Reads the attempt's `job_end.json`, in the same way.
    pub fn job_end(&self, attempt: AttemptId) -> Result<Option<JobEnd>, EndRecordError> {
        // It is put there in one step.
        let is_whole = |_: &[u8]| true;
        read(self, names::JOB_END, is_whole, attempt, |end: &JobEnd| end.start.attempt)
    }

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
