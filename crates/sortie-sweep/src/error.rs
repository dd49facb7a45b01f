//! What can be wrong with a sweep's directory.

use std::io;
use std::path::{Path, PathBuf};

use sortie_results::InUse;
use sortie_scheduler::SchedulerError;
use thiserror::Error;

/// Why a sweep cannot be made, read, or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// There is none.
    #[error("{} holds no sweep: it has no {}", dir.display(), crate::names::LEDGER)]
    NoSweep {
        /// The directory.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("{} holds a sweep already: resume it, or choose another directory", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// Files are there that a sweep could take for its own.
    #[error(
        "{} is not empty, it holds {name:?}: a new sweep needs a new directory, or an empty one",
        dir.display()
    )]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
        /// One of the files there.
        name: String,
    },
    /// Another launcher sees to it, or may do so.
    #[error(transparent)]
    InUse(InUse),
    /// Its first lines, which say what it is, are damaged: they were never written by halves.
    #[error("{}:{line}: not a whole line of a sweep's ledger: {expected} is expected", ledger.display())]
    Damaged {
        /// The ledger.
        ledger: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// It was made by a later sortie.
    #[error("{} is of version {version}; this sortie reads version {}", ledger.display(), crate::entry::VERSION)]
    Version {
        /// The ledger.
        ledger: PathBuf,
        /// The version it says.
        version: u32,
    },
    /// The operating system would not.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What could not be done, as in `write`.
        action: &'static str,
        /// The file or directory it could not be done to.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Candidates failed, one after the other, for something that the user has to mend. They are run again when the sweep
    /// is resumed.
    #[error("the set-up failed for {failures} candidates in a row: {detail}")]
    SetUp {
        /// How many.
        failures: usize,
        /// What is wrong.
        detail: String,
    },
    /// The machine has no thread for who writes.
    #[error("cannot start a thread for {}: {cause}: this user may have no more processes (`ulimit -u`)", dir.display())]
    NoThread {
        /// The directory.
        dir: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The thread that writes has panicked.
    #[error("{}: what writes the sweep's files has ended: {reason}", dir.display())]
    Broken {
        /// The directory.
        dir: PathBuf,
        /// What is known of it.
        reason: String,
    },
    /// The scheduler refuses a job.
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
}

impl SweepError {
    /// Whether there is no space left.
    pub(crate) fn is_for_want_of_space(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        let is_full = |cause: &io::Error| matches!(cause.kind(), StorageFull | QuotaExceeded);
        matches!(self, Self::Io { cause, .. } if is_full(cause))
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |cause| Self::Io { action, path, cause }
    }
}
