//! What can be wrong with a request. What goes wrong with a job is in its outcome.

use std::path::PathBuf;

use sortie_config::{InvalidSetting, JobType};
use sortie_process::SpawnError;
use sortie_results::RecordError;
use sortie_script::FlagsError;
use thiserror::Error;

use crate::JobId;

/// A request that the scheduler refuses.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// The settings are of another kind of job.
    #[error("the job type is `{job_type}`, but the settings are those of `{config}`")]
    ConfigMismatch {
        /// The job type asked for.
        job_type: JobType,
        /// The one the settings are for.
        config: JobType,
    },
    /// A setting that cannot work.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// Flags for the container engine that are not passed on.
    #[error(transparent)]
    Flags(#[from] FlagsError),
    /// Nothing could ever run.
    #[error("`max_workers` is 0, expected at least 1")]
    NoWorkers,
    /// A job is to have more to itself than the launcher may use.
    #[error(
        "`{field}` is {wanted}, but the launcher may use {found} ({whence}): lower it, or start the launcher where it may use more"
    )]
    TooFew {
        /// The setting.
        field: &'static str,
        /// What it asks for.
        wanted: u32,
        /// What there is.
        found: usize,
        /// How that is known.
        whence: String,
    },
    /// No engine but Apptainer takes GPUs of AMD by their number.
    #[error(
        "`gpus` gives GPUs of NVIDIA alone to containers of {engine}, and those here are AMD's: leave it out, and set \
         `docker_flags: --device /dev/kfd --device /dev/dri`, which gives all of them to each job"
    )]
    GpusOfContainers {
        /// The engine's command.
        engine: String,
    },
    /// The CPUs to deal out are not known.
    #[error("`cpus` is set, and which CPUs the launcher may use cannot be told: {0}")]
    Cpus(std::io::Error),
    /// A job could not run, as something it needs is not there.
    #[error("{0}")]
    NotReady(String),
    /// There is nothing to run jobs in.
    #[error("no tokio runtime: make the scheduler within one")]
    NoRuntime,
    /// The helper process that keeps jobs does not start.
    #[error(transparent)]
    Helper(#[from] SpawnError),
    /// Relative paths would lead nowhere.
    #[error("cannot tell the working directory: {0}")]
    WorkingDirectory(std::io::Error),
    /// Two live jobs would write to the same place.
    #[error("results dir {} is in use by {job}, which has not finished", results_dir.display())]
    ResultsDirInUse {
        /// The directory, as given.
        results_dir: PathBuf,
        /// The job that has it.
        job: JobId,
    },
    /// No such job, or one that was forgotten.
    #[error("there is no {0}")]
    UnknownJob(JobId),
    /// Its results are not there yet.
    #[error("{0} has not finished")]
    NotFinished(JobId),
    /// The results dir no longer holds what the job left there.
    #[error(transparent)]
    Results(#[from] RecordError),
    /// A job of this machine ends with its launcher.
    #[error("`{0}` jobs end with their launcher: there is none to attach to")]
    NotAttachable(JobType),
    /// The attempt is over already.
    #[error("the attempt in {} has ended; its record is in job.json there", results_dir.display())]
    Ended {
        /// The directory, as given.
        results_dir: PathBuf,
    },
    /// The scheduler was shut down.
    #[error("the scheduler was shut down")]
    ShutDown,
}
