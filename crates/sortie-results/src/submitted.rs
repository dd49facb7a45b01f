//! An attempt that was handed to a cluster: nobody holds its results dir while it waits and runs there.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use thiserror::Error;

use crate::{
    AttemptId, Claim, Ended, LogTail, Place, ReadLimits, Record, RecordError, Results, ResultsDir,
    Run,
    dir::Dir,
    end::AtEnd,
    names::{self, Names},
    record::open_state,
};

/// The version of the form below. A reader refuses any other.
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 1 << 20;

/// Says that an attempt was handed to a cluster, and by what it is found there. Kept as
/// `submitted.json` in the launcher's directory; written before the cluster is asked, so that whatever becomes of
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
    /// The SHA-256 of the evaluator's file as it stands now, see [`Record::evaluator_sha256`].
    #[serde(default)]
    pub evaluator_sha256: Option<String>,
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
    path: PathBuf,
    place: Place,
    state: Dir,
    submitted: Submitted,
}

/// Why a results dir cannot be opened again for an attempt.
#[derive(Debug, Error)]
#[non_exhaustive]
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
        let path = self.state.path.join(names::SCRIPT);
        match self.state.replace_private(names::SCRIPT, script) {
            Ok(()) => Ok(path),
            Err(cause) => Err(RecordError::Unwritable { path, cause }),
        }
    }

    /// Notes that the attempt is about to be handed to a cluster. The claim may be dropped then: until the attempt
    /// has a record, the directory cannot be claimed by another.
    pub fn submitted(&self, submitted: &Submitted) -> Result<(), RecordError> {
        let name = self.place.names().submitted;
        let path = || self.state.path.join(name);
        let json = serde_json::to_vec(&Versioned { version: VERSION, rest: submitted })
            .map_err(|error| RecordError::malformed(path(), &error))?;
        self.state
            .replace(name, &json)
            .map_err(|cause| RecordError::Unwritable { path: path(), cause })
    }
}

impl Submitted {
    /// When the job was submitted to the launcher.
    pub fn time(&self) -> SystemTime {
        SystemTime::try_from(self.submitted_at).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Reads the note that goes with a results dir.
    pub fn read(results_dir: &Path) -> Result<Self, RecordError> {
        let place = Place::of(results_dir);
        Self::of(&open_state(&place)?, place.names())
    }

    pub(crate) fn of(dir: &Dir, names: &Names) -> Result<Self, RecordError> {
        let path = || dir.path.join(names.submitted);
        let json = dir
            .read(names.submitted, MAX_BYTES)
            .map_err(|cause| RecordError::Unusable { path: path(), cause })?;
        let malformed = |error| RecordError::malformed(path(), &error);
        // The version first: the rest of another one may look different.
        let Versioned::<IgnoredAny> { version, .. } =
            serde_json::from_slice(&json).map_err(malformed)?;
        if version != VERSION {
            return Err(RecordError::Version { path: path(), version });
        }
        let Versioned { rest, .. } = serde_json::from_slice(&json).map_err(malformed)?;
        Ok(rest)
    }
}

impl ResultsDir {
    /// Opens the directories of an attempt that was handed to a cluster, to see what it has left.
    pub fn reopen(path: &Path, attempt: AttemptId) -> Result<Reopened, ReopenError> {
        Self::reopen_at(path, Place::of(path), attempt)
    }

    /// The same where it is known already where they are.
    pub fn reopen_at(
        path: &Path,
        place: Place,
        attempt: AttemptId,
    ) -> Result<Reopened, ReopenError> {
        let state = open_state(&place)?;
        let submitted = Submitted::of(&state, place.names())?;
        if submitted.attempt != attempt {
            let (found, expected) = (submitted.attempt, attempt);
            return Err(ReopenError::OtherAttempt { path: path.to_owned(), found, expected });
        }
        Ok(Reopened { path: path.to_owned(), place, state, submitted })
    }
}

impl Reopened {
    /// What was noted when the attempt was handed over.
    pub fn submitted(&self) -> &Submitted {
        &self.submitted
    }

    /// The end of the attempt's standard error so far.
    pub fn stderr(&self, limit: u64) -> LogTail {
        let limits = ReadLimits { log_tail_bytes: limit, ..ReadLimits::default() };
        AtEnd::of(&self.place, None).log(&self.state, names::STDERR, limits)
    }

    /// Reads what the attempt left behind, and judges it; see [`Claim::collect`].
    pub fn collect(&self, ended: Ended, limits: ReadLimits) -> Results {
        let at_end = AtEnd::of(&self.place, None);
        let log = |name| at_end.log(&self.state, name, limits);
        let logs = [log(names::STDOUT), log(names::STDERR)];
        Results::of(self.submitted.attempt, ended, &at_end, &self.state, limits, logs)
    }

    /// Writes the attempt's record; see [`Claim::record`].
    pub fn record(&self, run: &Run, results: &Results) -> Result<Record, RecordError> {
        let record = Record::new(&self.path, run, results);
        record.write(&self.place, &self.state)?;
        Ok(record)
    }
}
