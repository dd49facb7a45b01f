//! Settings of jobs in a container on this machine.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    EnvironmentPolicy, EvaluatorKind, Limits, Memory, PullPolicy, PyValue, TimeLimit, extra_args,
    fields,
};

/// A job on this machine whose evaluator runs in a container.
///
/// Of the launcher's environment, only what `environment` allows by name and what it sets reach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalDockerJobConfig {
    /// The user's program that judges a candidate; `evaluate.py` by default.
    #[serde(deserialize_with = "fields::null_is_evaluate_py")]
    #[schemars(with = "crate::schema::Evaluator")]
    pub eval_program_path: PathBuf,
    /// What the evaluator is: `python`, the default, which is run by Python; or `executable`, a program in any language
    /// that is run as itself. That is a file with the permission to be executed, compiled or with a `#!` line.
    pub evaluator: EvaluatorKind,
    /// Passed to the evaluator as `--KEY VALUE`, in order.
    #[serde(deserialize_with = "extra_args::deserialize")]
    #[schemars(with = "crate::schema::Arguments")]
    pub extra_cmd_args: IndexMap<String, PyValue>,
    /// The container image; `ubuntu:latest` by default. With Apptainer the path of a SIF file or of a directory,
    /// `docker-archive:FILE`, `oci-archive:FILE`, or a registry's as in `docker://ubuntu:24.04`: each is converted to a directory
    /// once on a node.
    pub image: String,
    /// An archive to load the image from, as `docker save` writes it; blank is not set. Apptainer takes the one image that is in
    /// it, whatever `image` says.
    pub image_tar_path: Option<PathBuf>,
    /// Further arguments of `docker run`, as a shell would split them.
    pub docker_flags: String,
    /// Further arguments of `apptainer exec`, as a shell would split them.
    pub apptainer_flags: String,
    /// The engine's command, or a path to it: `docker`, which is the default, `podman`, or `apptainer`, also as
    /// `singularity`, which needs no daemon and no rights.
    pub engine: String,
    /// When the image is pulled if it comes from no archive; when it is missing by default.
    #[schemars(with = "crate::schema::Pull")]
    pub pull: PullPolicy,
    /// A directory where archives of pulled images are kept; blank is not set, which is the default.
    /// With Apptainer, where each node keeps the directories that images are converted to: `/tmp/sortie-UID/images` by
    /// default, anew each week.
    pub image_cache: Option<PathBuf>,
    /// Whether the working directory is mounted, read-only, at `/workspace`, and the directories of an
    /// evaluator or candidate elsewhere at their own paths; true by default.
    pub mount_workspace: bool,
    /// Who the container runs as: the `submitter`, which is the default, whoever the `image` says, or a
    /// user as `docker run --user` takes it.
    pub user: String,
    /// The container's network, such as `none` or `host`; left to the engine by default, which is the host's with Apptainer.
    pub network: Option<String>,
    /// Processes and threads it may have at once; 4096 by default, `None` leaves it to the engine. Apptainer holds it
    /// where it can hold limits at all.
    #[schemars(range(min = 1))]
    pub pids_limit: Option<u32>,
    /// Whether a job is refused where the engine cannot hold it to `mem`, `cpus` or `pids_limit`, as Podman without root
    /// on cgroups v1; true by default. Otherwise it runs there without them.
    /// Apptainer can where systemd gives this user control groups of version 2; `pids_limit` is no reason to refuse a job.
    pub require_limits: bool,
    /// The Python of the image that runs the evaluator, a path or a name that is looked up on `PATH` there; `python` by default.
    /// Not for `evaluator: executable`, which runs as itself.
    pub python_executable: Option<PathBuf>,
    /// How long the job may run; without a limit by default.
    pub time: Option<TimeLimit>,
    /// GPUs that each job has to itself, of those that the launcher may see: all, or those of `CUDA_VISIBLE_DEVICES`,
    /// `HIP_VISIBLE_DEVICES` or `ROCR_VISIBLE_DEVICES`. None by default.
    pub gpus: Option<u32>,
    /// CPUs that each job has to itself, of those that the launcher may use, and the most that it may use; by default jobs
    /// share all of them.
    #[schemars(range(min = 1))]
    pub cpus: Option<u32>,
    /// Memory it may use; all by default.
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

impl Default for LocalDockerJobConfig {
    fn default() -> Self {
        Self {
            eval_program_path: fields::eval_program_path(),
            evaluator: EvaluatorKind::Python,
            extra_cmd_args: IndexMap::new(),
            image: "ubuntu:latest".to_owned(),
            image_tar_path: None,
            docker_flags: String::new(),
            apptainer_flags: String::new(),
            engine: "docker".to_owned(),
            pull: PullPolicy::Missing,
            image_cache: None,
            mount_workspace: true,
            user: "submitter".to_owned(),
            network: None,
            pids_limit: Some(4096),
            require_limits: true,
            python_executable: None,
            time: None,
            gpus: None,
            cpus: None,
            mem: None,
            eval_verbose: true,
            numeric_threads_per_job: None,
            environment: EnvironmentPolicy::default(),
            limits: Limits::default(),
        }
    }
}
