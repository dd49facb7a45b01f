//! Settings of jobs in a container on this machine.

use std::path::PathBuf;

use crate::{Memory, PullPolicy, TimeLimit, fields::job_settings};

job_settings! {
    /// A job on this machine whose evaluator runs in a container.
    ///
    /// Of the launcher's environment, only what `environment` allows by name and what it sets reach it.
    LocalDockerJobConfig {
        /// The container image; `ubuntu:latest` by default. With Apptainer the path of a SIF file or of a directory,
        /// `docker-archive:FILE`, `oci-archive:FILE`, or a registry's as in `docker://ubuntu:24.04`: each is converted to a directory
        /// once on a node.
        image: String = "ubuntu:latest".to_owned(),
        /// An archive to load the image from, as `docker save` writes it; blank is not set. Apptainer takes the one image that is in
        /// it, whatever `image` says.
        image_tar_path: Option<PathBuf> = None,
        /// Further arguments of `docker run`, as a shell would split them.
        docker_flags: String = String::new(),
        /// Further arguments of `apptainer exec`, as a shell would split them.
        apptainer_flags: String = String::new(),
        /// The engine's command, or a path to it: `docker`, which is the default, `podman`, or `apptainer`, also as
        /// `singularity`, which needs no daemon and no rights.
        engine: String = "docker".to_owned(),
        /// When the image is pulled if it comes from no archive; when it is missing by default.
        #[schemars(with = "crate::schema::Pull")]
        pull: PullPolicy = PullPolicy::Missing,
        /// A directory where archives of pulled images are kept; blank is not set, which is the default.
        /// With Apptainer, where each node keeps the directories that images are converted to: `/tmp/sortie-UID/images` by
        /// default, anew each week.
        image_cache: Option<PathBuf> = None,
        /// Whether the working directory is mounted, read-only, at `/workspace`, and the directories of an
        /// evaluator or candidate elsewhere at their own paths; true by default.
        mount_workspace: bool = true,
        /// Who the container runs as: the `submitter`, which is the default, whoever the `image` says, or a
        /// user as `docker run --user` takes it.
        user: String = "submitter".to_owned(),
        /// The container's network, such as `none` or `host`; left to the engine by default, which is the host's with Apptainer.
        network: Option<String> = None,
        /// Processes and threads it may have at once; 4096 by default, `None` leaves it to the engine. Apptainer holds it
        /// where it can hold limits at all.
        #[schemars(range(min = 1))]
        pids_limit: Option<u32> = Some(4096),
        /// Whether a job is refused where the engine cannot hold it to `mem`, `cpus` or `pids_limit`, as Podman without root
        /// on cgroups v1; true by default. Otherwise it runs there without them.
        /// Apptainer can where systemd gives this user control groups of version 2; `pids_limit` is no reason to refuse a job.
        require_limits: bool = true,
        /// The Python of the image that runs the evaluator, a path or a name that is looked up on `PATH` there; `python` by default.
        /// Not for `evaluator: executable`, which runs as itself.
        python_executable: Option<PathBuf> = None,
        /// How long the job may run; without a limit by default.
        time: Option<TimeLimit> = None,
        /// GPUs that each job has to itself, of those that the launcher may see: all, or those of `CUDA_VISIBLE_DEVICES`,
        /// `HIP_VISIBLE_DEVICES` or `ROCR_VISIBLE_DEVICES`. None by default.
        gpus: Option<u32> = None,
        /// CPUs that each job has to itself, of those that the launcher may use, and the most that it may use; by default jobs
        /// share all of them.
        #[schemars(range(min = 1))]
        cpus: Option<u32> = None,
        /// Memory it may use; all by default.
        mem: Option<Memory> = None,
        /// Whether the evaluator is told to be verbose; true by default.
        eval_verbose: bool = true,
        /// Threads numeric libraries may use; less than 1 counts as 1, `None` leaves them alone.
        numeric_threads_per_job: Option<i64> = None,
    }
}
