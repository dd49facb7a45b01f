//! An attempt that was handed to a cluster: nobody holds its results dir while it waits and runs there.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    AttemptId, Claim, ClaimError, Ended, LogTail, ReadLimits, Record, RecordError, Results,
    ResultsDir, Run, names,
};

/// The version of the form below. A reader refuses any other.
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 1 << 20;

/// Says that an attempt was handed to a cluster, and by what it is found there. Kept as
/// `job_submitted.json` in its results dir; written before the cluster is asked, so that whatever becomes of
/// the launcher, no job is there that nobody could find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Which attempt it is.
    pub attempt: AttemptId,
    /// The candidate's path; what is not UTF-8 in it is U+FFFD.
    pub candidate: String,
    /// The cluster's job by its name, which no other has.
    pub job_name: String,
    /// Which element of the job it is, if the job is an array.
    pub element: Option<u32>,
    /// The script that was handed in: a file of this or another results dir.
    pub script: String,
    /// When the job was submitted to the launcher.
    pub submitted_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    rest: T,
}

/// A results dir that is opened again for an attempt that was handed to a cluster.
#[derive(Debug)]
pub struct Reopened {
    pub(crate) dir: ResultsDir,
    pub(crate) submitted: Submitted,
}

/// Why a results dir cannot be opened again for an attempt.
#[derive(Debug, Error)]
pub enum ReopenError {
    /// The results dir is not there, or may not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Another attempt has been given the directory since.
    #[error("{} is of attempt {found} by now, not of {expected}", .path.display())]
    OtherAttempt {
        /// The results dir.
        path: PathBuf,
        /// Whose it is.
        found: AttemptId,
        /// Whose it should be.
        expected: AttemptId,
    },
}

impl Claim {
    /// Keeps the script that the attempt is about to be handed in with, as `job_script.sh`; its path. Only its owner
    /// may read it, as it sets the job's environment.
    pub fn keep_script(&self, script: &[u8]) -> Result<PathBuf, RecordError> {
        let path = self.dir.path.join(names::SCRIPT);
        match self.dir.replace_private(names::SCRIPT, script) {
            Ok(()) => Ok(path),
            Err(source) => Err(RecordError::Unwritable { path, source }),
        }
    }

    /// Notes that the attempt is about to be handed to a cluster. The claim may be dropped then: until the attempt
    /// has a record, the directory cannot be claimed by another.
    pub fn submitted(&self, submitted: &Submitted) -> Result<(), RecordError> {
        let path = || self.dir.path.join(names::SUBMITTED);
        let json = serde_json::to_vec(&Versioned { version: VERSION, rest: submitted })
            .map_err(|source| RecordError::Malformed { path: path(), source })?;
        self.dir
            .replace(names::SUBMITTED, &json)
            .map_err(|source| RecordError::Unwritable { path: path(), source })
    }
}

impl Submitted {
    /// When the job was submitted to the launcher.
    pub fn time(&self) -> SystemTime {
        SystemTime::try_from(self.submitted_at).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Reads the note in a results dir.
    pub fn read(results_dir: &Path) -> Result<Self, RecordError> {
        Self::of(&crate::record::open(results_dir)?)
    }

    pub(crate) fn of(dir: &ResultsDir) -> Result<Self, RecordError> {
        let path = || dir.path.join(names::SUBMITTED);
        let json = dir
            .read(names::SUBMITTED, MAX_BYTES)
            .map_err(|source| RecordError::Unusable { path: path(), source })?;
        let malformed = |source| RecordError::Malformed { path: path(), source };
        let Versioned { version, rest } = serde_json::from_slice(&json).map_err(malformed)?;
        if version != VERSION {
            return Err(RecordError::Version { path: path(), version });
        }
        Ok(rest)
    }
}

impl ResultsDir {
    /// Opens the directory of an attempt that was handed to a cluster, to see what it has left.
    pub fn reopen(path: &Path, attempt: AttemptId) -> Result<Reopened, ReopenError> {
        let dir = crate::record::open(path)?;
        let submitted = Submitted::of(&dir)?;
        if submitted.attempt != attempt {
            let (found, expected) = (submitted.attempt, attempt);
            return Err(ReopenError::OtherAttempt { path: dir.path, found, expected });
        }
        Ok(Reopened { dir, submitted })
    }

    /// Whether an attempt that was handed to a cluster may still be under way here, and which.
    pub(crate) fn under_way(&self) -> Result<Option<Submitted>, ClaimError> {
        let failed = |error| ClaimError::failed(&self.path, "look into", error);
        if !self.has(names::SUBMITTED).map_err(failed)?
            || self.has(names::RECORD).map_err(failed)?
        {
            return Ok(None);
        }
        // A note that nobody can read keeps nobody out: it is moved away like the rest.
        Ok(Submitted::of(self).ok())
    }
}

impl Reopened {
    /// What was noted when the attempt was handed over.
    pub fn submitted(&self) -> &Submitted {
        &self.submitted
    }

    /// The end of the attempt's standard error so far.
    pub fn stderr(&self, limit: u64) -> LogTail {
        self.dir.tail(names::STDERR, limit)
    }

    /// Reads what the attempt left behind, and judges it; see [`Claim::collect`].
    pub fn collect(&self, ended: Ended, limits: ReadLimits) -> Results {
        let logs =
            [names::STDOUT, names::STDERR].map(|name| self.dir.tail(name, limits.log_tail_bytes));
        self.dir.collect(self.submitted.attempt, ended, limits, logs)
    }

    /// Writes the attempt's record; see [`Claim::record`].
    pub fn record(&self, run: &Run, results: &Results) -> Result<Record, RecordError> {
        self.dir.record(run, results)
    }
}
