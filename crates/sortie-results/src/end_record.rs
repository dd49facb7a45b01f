//! The record by which a script on a cluster tells how it ended.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use thiserror::Error;

use crate::{AttemptId, Reopened, Unusable, names};

/// The version of the form below. A reader refuses any other.
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 64 << 10;

/// What a script on a cluster tells of its end, in `job_end.json`: written beside and renamed as the last thing
/// it does, so that there is all of it or nothing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EndRecord {
    /// The version of this form: 1.
    version: u32,
    /// Which attempt it is of.
    pub attempt: AttemptId,
    /// What the cluster calls the job.
    pub job_id: String,
    /// The machine it ran on.
    pub host: String,
    /// When the script started, in seconds since 1970 by that machine's clock.
    started_at: f64,
    /// When it ended, likewise.
    ended_at: f64,
    /// How it ended.
    pub end: End,
}

/// How a script on a cluster ended.
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
        /// Which.
        signal: i32,
    },
    /// The evaluator was not started, as something before failed.
    SetupFailed {
        /// What failed, as in `conda activate`.
        step: String,
        /// With this exit status.
        status: i32,
    },
    /// The script was told to end, and has stopped the evaluator. Who told it and why is for the cluster to say.
    Terminated {
        /// By which signal.
        signal: i32,
    },
    /// The cluster started the script a second time, which it refused; the first run left no record.
    Restarted,
    /// A log grew beyond what is allowed, and the script has stopped the evaluator.
    OutputLimit {
        /// What a log may hold, in bytes.
        limit_bytes: u64,
    },
}

/// Why there is no end record to go by.
#[derive(Debug, Error)]
pub enum EndRecordError {
    /// It is missing, as the script has not ended, or it cannot be read.
    #[error("job_end.json {0}")]
    Unusable(Unusable),
    /// It is not what sortie's scripts write.
    #[error("job_end.json is not the record of an end: {0}")]
    Malformed(serde_json::Error),
    /// It is what another version's scripts write.
    #[error("job_end.json is of version {0}; this sortie reads version {VERSION}")]
    Version(u32),
    /// It is of another attempt.
    #[error("job_end.json is of attempt {0}")]
    OtherAttempt(AttemptId),
}

impl Reopened {
    /// What the attempt's script tells of its end; an error as long as it tells nothing.
    pub fn end_record(&self) -> Result<EndRecord, EndRecordError> {
        let json = self.dir.read(names::END, MAX_BYTES).map_err(EndRecordError::Unusable)?;
        let record: EndRecord = serde_json::from_slice(&json).map_err(EndRecordError::Malformed)?;
        if record.version != VERSION {
            return Err(EndRecordError::Version(record.version));
        }
        if record.attempt != self.submitted.attempt {
            return Err(EndRecordError::OtherAttempt(record.attempt));
        }
        Ok(record)
    }
}

impl EndRecord {
    /// When the script started, by the clock of its machine.
    pub fn started_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + seconds(self.started_at)
    }

    /// When it ended, by the clock of its machine.
    pub fn ended_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + seconds(self.ended_at)
    }

    /// How long it ran; zero where that machine's clock was set back meanwhile.
    pub fn running(&self) -> Duration {
        seconds(self.ended_at - self.started_at)
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
