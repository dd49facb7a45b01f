//! Why a job cannot be seen, ended or read by its results dir.

use std::io;
use std::path::PathBuf;

use sortie_results::{InUse, LeaseError, Log, RecordError, Unusable};
use thiserror::Error;

/// What a results dir does not give.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HandleError {
    /// The directory, its record or its note cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The directory was never given to a job.
    #[error("{} holds no job: none was ever run there", .dir.display())]
    NoJob {
        /// The directory.
        dir: PathBuf,
    },
    /// The job is queued, running or being stopped.
    #[error("{}: the job is not over", .dir.display())]
    NotOver {
        /// Its results dir.
        dir: PathBuf,
    },
    /// The job is orphaned or lost, or it is not known what became of it.
    #[error("{}: the job has no record", .dir.display())]
    NoRecord {
        /// Its results dir.
        dir: PathBuf,
    },
    /// Slurm has or had the job, and nobody sees to it.
    #[error("{}: its launcher is gone, and Slurm has or had the job", .dir.display())]
    Orphaned {
        /// Its results dir.
        dir: PathBuf,
    },
    /// Another launcher sees to it, or may do so.
    #[error(transparent)]
    InUse(InUse),
    /// Its launcher runs where it cannot be reached, as on another machine.
    #[error("{0}, which cannot be asked from here")]
    Elsewhere(InUse),
    /// A sweep sees to it.
    #[error("{} is in use by the sweep {}", .dir.display(), .sweep.display())]
    OfSweep {
        /// Its results dir.
        dir: PathBuf,
        /// The sweep's directory.
        sweep: PathBuf,
    },
    /// A program runs it that is not `sortie`, and that a signal would end, too.
    #[error("{0}, a program that is not `sortie`")]
    OtherProgram(InUse),
    /// Its launcher may not be sent a signal.
    #[error("{}: process {pid} cannot be asked to end it: {cause}", .dir.display())]
    NotAsked {
        /// Its results dir.
        dir: PathBuf,
        /// The launcher.
        pid: i32,
        /// Why.
        cause: io::Error,
    },
    /// It cannot be taken from its launcher.
    #[error("{}: {cause}", .dir.display())]
    NotTaken {
        /// Its results dir.
        dir: PathBuf,
        /// Why.
        cause: LeaseError,
    },
    /// Something else is in the place of a log.
    #[error("{}: the log of {} {cause}", .dir.display(), name(*.log))]
    Log {
        /// The results dir.
        dir: PathBuf,
        /// Which log.
        log: Log,
        /// What is wrong with it.
        cause: Unusable,
    },
}

fn name(log: Log) -> &'static str {
    match log {
        Log::Stdout => "stdout",
        Log::Stderr => "stderr",
    }
}
