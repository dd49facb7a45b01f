//! Settings of Slurm jobs in a container.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    EnvironmentPolicy, Limits, Memory, PyValue, TimeLimit, activation::set_path, extra_args, fields,
};

/// A Slurm job whose evaluator runs in a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlurmDockerJobConfig {
    /// The user's program that judges a candidate; `evaluate.py` by default.
    #[serde(deserialize_with = "fields::null_is_evaluate_py")]
    pub eval_program_path: PathBuf,
    /// Passed to the evaluator as `--KEY VALUE`, in order.
    #[serde(deserialize_with = "extra_args::deserialize")]
    pub extra_cmd_args: IndexMap<String, PyValue>,
    /// The container image; `ubuntu:latest` by default.
    pub image: String,
    /// An archive to load the image from; blank is not set.
    pub image_tar_path: Option<PathBuf>,
    /// Further arguments of `docker run`, as a shell would split them.
    pub docker_flags: String,
    /// Slurm partition, or several with commas; `gpu` by default.
    pub partition: String,
    /// How long the job may run; one hour by default.
    pub time: TimeLimit,
    /// CPUs of the job; 1 by default.
    #[serde(deserialize_with = "fields::cpus")]
    pub cpus: u32,
    /// GPUs of the job; 1 by default, 0 asks for none.
    pub gpus: u32,
    /// Memory of the job, 8 GiB by default; `None` leaves it to the cluster.
    pub mem: Option<Memory>,
    /// Whether the evaluator is told to be verbose; true by default.
    pub eval_verbose: bool,
    /// Threads numeric libraries may use; less than 1 counts as 1, `None` leaves them alone.
    pub numeric_threads_per_job: Option<i64>,
    /// What of the launcher's environment reaches the job.
    pub environment: EnvironmentPolicy,
    /// Bounds on stopping, logs and results.
    pub limits: Limits,
}

impl Default for SlurmDockerJobConfig {
    fn default() -> Self {
        Self {
            eval_program_path: fields::eval_program_path(),
            extra_cmd_args: IndexMap::new(),
            image: "ubuntu:latest".to_owned(),
            image_tar_path: None,
            docker_flags: String::new(),
            partition: "gpu".to_owned(),
            time: TimeLimit::ONE_HOUR,
            cpus: 1,
            gpus: 1,
            mem: Some(Memory::from_gibibytes(8)),
            eval_verbose: true,
            numeric_threads_per_job: None,
            environment: EnvironmentPolicy::default(),
            limits: Limits::default(),
        }
    }
}

impl SlurmDockerJobConfig {
    /// The archive to load the image from, if one is set.
    pub fn image_tar(&self) -> Option<&Path> {
        set_path(self.image_tar_path.as_ref())
    }
}
