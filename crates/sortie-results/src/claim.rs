//! Taking a results dir for one attempt.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use thiserror::Error;

use crate::{
    AttemptId, Fault, Outcome, ResultsDir, leftovers, names,
    unusable::{fault_of, in_dir},
};

/// A results dir that is one attempt's alone.
///
/// It stays so as long as the claim, or a clone of [`Claim::lock`], is there.
#[derive(Debug)]
pub struct Claim {
    pub(crate) attempt: AttemptId,
    pub(crate) dir: ResultsDir,
    pub(crate) stdout: File,
    pub(crate) stderr: File,
}

impl ResultsDir {
    /// Takes a directory for an attempt: makes it, with its parents, where it is not there; locks it;
    /// moves what an earlier attempt left into `previous/`; and creates the two logs.
    ///
    /// What was left is moved by rename, whatever it is, into a new directory named after the attempt
    /// that left it, or numbered where there is no telling. Other files stay where they are; a
    /// `previous` that is no directory is an error.
    ///
    /// Where the file system has no locks the directory is taken without, and it is the caller who
    /// must not use it twice. Where another attempt holds it the answer is [`ClaimError::InUse`] at
    /// once; a tree of processes that was just killed may need milliseconds to let go.
    pub fn claim(path: &Path, attempt: AttemptId) -> Result<Claim, ClaimError> {
        let failed = |action| move |error| ClaimError::failed(path, action, error);
        let made = make(path).map_err(failed("create"))?;
        let dir = Self::open(path).map_err(failed("open"))?;
        if !lock(&dir.file).map_err(failed("lock"))? {
            return Err(ClaimError::InUse { path: path.to_owned() });
        }
        // Nobody was in a directory that we have made and locked at once.
        if !made {
            if let Some(other) = dir.under_way()? {
                return Err(ClaimError::Submitted {
                    path: path.to_owned(),
                    attempt: other.attempt,
                    job_name: other.job_name,
                });
            }
            leftovers::move_away(&dir, &names::OF_AN_ATTEMPT)?;
        }
        let [stdout, stderr] = match create_logs(&dir) {
            // Unless somebody was quicker between the two.
            Err(error) if made && error.kind() == io::ErrorKind::AlreadyExists => {
                leftovers::move_away(&dir, &names::OF_AN_ATTEMPT)?;
                create_logs(&dir)
            }
            logs => logs,
        }
        .map_err(failed("create the logs in"))?;
        Ok(Claim { attempt, dir, stdout, stderr })
    }
}

impl Claim {
    /// Whose claim it is.
    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The directory, as it was given.
    pub fn path(&self) -> &Path {
        &self.dir.path
    }

    /// The lock: the open directory. What holds a clone of it, or has inherited one, keeps the
    /// directory from being claimed by another.
    pub fn lock(&self) -> &File {
        &self.dir.file
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

/// Makes the directory and its parents; whether it was not there before.
fn make(path: &Path) -> io::Result<bool> {
    let mkdir = || rustix::fs::mkdir(path, Mode::from(0o777));
    let made = match (mkdir(), path.parent()) {
        (Err(Errno::NOENT), Some(parent)) if parent != Path::new("") => {
            std::fs::create_dir_all(parent)?;
            mkdir()
        }
        (first, _) => first,
    };
    match made {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Locks the directory, if it has locks; false where another holds it.
fn lock(dir: &File) -> io::Result<bool> {
    match dir.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if locks_unsupported(&error) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// NFS knows no lock on a directory, which cannot be open for writing (`flock(2)`); others know none.
fn locks_unsupported(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(
        errno,
        Some(Errno::BADF | Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
    )
}

fn create_logs(dir: &ResultsDir) -> io::Result<[File; 2]> {
    // Readable too: a log is read back from here, as its path may lead elsewhere by then.
    let create = |name| dir.create(name, OFlags::RDWR | OFlags::APPEND);
    Ok([create(names::STDOUT)?, create(names::STDERR)?])
}

/// Why a results dir could not be taken.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// Another attempt has it, and still runs.
    #[error("{}: in use by another attempt that is still running", .path.display())]
    InUse {
        /// The results dir.
        path: PathBuf,
    },
    /// Another attempt that was handed to a cluster has it, and may be under way there.
    #[error(
        "{}: in use by attempt {attempt}, which was submitted to the cluster as job {job_name} and has no record \
         of its end: attach to it, or make sure that the job is gone and remove {}",
        .path.display(),
        names::SUBMITTED
    )]
    Submitted {
        /// The results dir.
        path: PathBuf,
        /// Whose it is.
        attempt: AttemptId,
        /// The cluster's job.
        job_name: String,
    },
    /// The operating system would not.
    #[error("{}", in_dir(action, path, source))]
    Failed {
        /// What could not be done, as in `create`.
        action: &'static str,
        /// The file or directory it could not be done to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ClaimError {
    pub(crate) fn failed(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Failed { action, path: path.to_owned(), source }
    }

    /// Whose fault it is: set-up, where another path or other rights would help, or infrastructure.
    pub fn fault(&self) -> Fault {
        match self {
            Self::InUse { .. } | Self::Submitted { .. } => Fault::Setup,
            Self::Failed { source, .. } => fault_of(source),
        }
    }
}

/// An attempt whose results dir could not be taken was not started.
impl From<&ClaimError> for Outcome {
    fn from(error: &ClaimError) -> Self {
        Self::NotStarted { reason: error.to_string(), fault: error.fault() }
    }
}
