//! Taking a results dir for one attempt.

use std::{
    fs::File,
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use thiserror::Error;

use crate::{
    AttemptId, Consent, Fault, InUse, Lease, LeaseError, Outcome, Owner, Place, RecordError,
    ResultsDir, TAKE_OVER,
    dir::Dir,
    leftovers,
    make::{Made, make},
    names,
    unusable::{fault_of, in_dir},
};

/// A results dir that is one attempt's alone.
///
/// It stays so as long as the claim, or a clone of [`Claim::hold`], is there.
#[derive(Debug)]
pub struct Claim {
    pub(crate) attempt: AttemptId,
    pub(crate) place: Place,
    /// The results dir, as it was when it was claimed.
    pub(crate) results: Dir,
    pub(crate) state: Dir,
    pub(crate) stdout: File,
    pub(crate) stderr: File,
    lease: Lease,
}

impl ResultsDir {
    /// Takes a directory for an attempt: makes it, with its parents, where it is not there, and the launcher's own
    /// directory beside it, see [`Place`]; takes its [`Lease`]; moves what an earlier attempt left into `previous/`; and
    /// creates the two logs.
    ///
    /// What was left is moved by rename, whatever it is, into a new directory named after the attempt
    /// that left it, or numbered where there is no telling. Other files stay where they are; a
    /// `previous` that is no directory is an error.
    ///
    /// Where another attempt holds it the answer is [`ClaimError::InUse`] at once; a tree of processes that was just killed
    /// may need milliseconds to let go.
    pub fn claim(path: &Path, attempt: AttemptId) -> Result<Claim, ClaimError> {
        Self::claim_with(path, attempt, Consent::No)
    }

    /// The same, and with consent also from an attempt of which nobody can say whether it still runs.
    pub fn claim_with(
        path: &Path,
        attempt: AttemptId,
        consent: Consent,
    ) -> Result<Claim, ClaimError> {
        let Made { place, results, state, fresh } = make(path)?;
        let owner = Owner::this(Some(attempt), None);
        let lease = Lease::take(&place.state.join(names::LEASE), &owner, consent);
        let lease = lease.map_err(|error| ClaimError::of_lease(path, error))?;
        // Nobody was in directories that we have made.
        if !fresh {
            leftovers::none_submitted(path, &state, consent)?;
            leftovers::move_away(&results, &state)?;
        }
        let [stdout, stderr] = match create_logs(&results) {
            // Unless somebody was quicker between the two.
            Err(error) if fresh && error.kind() == io::ErrorKind::AlreadyExists => {
                leftovers::move_away(&results, &state)?;
                create_logs(&results)
            }
            logs => logs,
        }
        .map_err(|error| ClaimError::failed(path, "create the logs in", error))?;
        Ok(Claim { attempt, place, results, state, stdout, stderr, lease })
    }
}

impl Claim {
    /// Whose claim it is.
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The results dir, as it was given.
    pub fn path(&self) -> &Path {
        &self.results.path
    }

    /// Where its directories are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What keeps the directory from being claimed by another for as long as any process has it, where there are locks.
    pub fn hold(&self) -> BorrowedFd<'_> {
        self.lease.share()
    }

    /// Lets go of the directory, once nothing of the attempt runs any more.
    pub fn release(self) {
        self.lease.release();
    }

    /// `job_log.out`, for the evaluator's standard output: for appending, and for reading.
    pub fn stdout(&self) -> &File {
        &self.stdout
    }

    /// `job_log.err`, for the evaluator's standard error: for appending, and for reading.
    pub fn stderr(&self) -> &File {
        &self.stderr
    }
}

fn create_logs(dir: &Dir) -> io::Result<[File; 2]> {
    // Readable too: a log is read back from here, as its path may lead elsewhere by then.
    let create = |name| dir.create(name, OFlags::RDWR | OFlags::APPEND);
    Ok([create(names::STDOUT)?, create(names::STDERR)?])
}

fn remedy(in_use: &InUse) -> String {
    if in_use.certain { String::new() } else { format!(": {TAKE_OVER}") }
}

/// Why a results dir could not be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another attempt has it, or may have it.
    #[error("{0}{remedy}", remedy = remedy(.0))]
    InUse(InUse),
    /// The note of an attempt that was handed to a cluster cannot be read, so that it may be under way there.
    #[error("{cause}: a job of the cluster may be under way in {}: {TAKE_OVER}", .path.display())]
    Unreadable {
        /// The results dir.
        path: PathBuf,
        /// What is wrong with the note.
        cause: Box<RecordError>,
    },
    /// Another attempt that was handed to a cluster has it, and may be under way there.
    #[error(
        "{}: in use by attempt {attempt}, which was submitted to the cluster as job {job_name} and has no record \
         of its end: attach to it, or make sure that the job is gone and remove {}",
        .path.display(), .note.display()
    )]
    Submitted {
        /// The results dir.
        path: PathBuf,
        /// Whose it is.
        attempt: AttemptId,
        /// The cluster's job.
        job_name: String,
        /// The note that says so.
        note: PathBuf,
    },
    /// The operating system would not.
    #[error("{}", in_dir(action, path, cause))]
    Failed {
        /// What could not be done, as in `create`.
        action: &'static str,
        /// The file or directory it could not be done to.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl ClaimError {
    pub(crate) fn failed(path: &Path, action: &'static str, cause: io::Error) -> Self {
        Self::Failed { action, path: path.to_owned(), cause }
    }

    fn of_lease(path: &Path, error: LeaseError) -> Self {
        match error {
            LeaseError::InUse(in_use) => Self::InUse(in_use.of(path)),
            LeaseError::Failed { action, path, cause } => Self::Failed { action, path, cause },
        }
    }

    /// Whose fault it is: set-up, where another path or other rights would help, or infrastructure.
    pub fn fault(&self) -> Fault {
        match self {
            Self::InUse(_) | Self::Submitted { .. } | Self::Unreadable { .. } => Fault::Setup,
            Self::Failed { cause, .. } => fault_of(cause),
        }
    }
}

/// An attempt whose results dir could not be taken was not started.
impl From<&ClaimError> for Outcome {
    fn from(error: &ClaimError) -> Self {
        Self::NotStarted { reason: error.to_string(), fault: error.fault() }
    }
}
