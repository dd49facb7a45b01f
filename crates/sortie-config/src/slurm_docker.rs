//! Settings of Slurm jobs in a container.

use std::path::PathBuf;

use crate::{PullPolicy, slurm::slurm_job_config};

slurm_job_config! {
    /// A Slurm job whose evaluator runs in a container.
    SlurmDockerJobConfig {
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
        /// When the image is pulled if it comes from no archive; when a node lacks it by default.
        #[schemars(with = "crate::schema::Pull")]
        pull: PullPolicy = PullPolicy::Missing,
        /// A directory that all nodes see, where archives of pulled images are kept for other nodes;
        /// blank is not set, which is the default.
        /// With Apptainer, where each node keeps the directories that images are converted to: `/tmp/sortie-UID/images` by
        /// default, anew each week.
        image_cache: Option<PathBuf> = None,
        /// Whether the working directory is mounted, read-only, at `/workspace`, and the directories of
        /// an evaluator or candidate elsewhere at their own paths; true by default.
        mount_workspace: bool = true,
        /// Who the container runs as: the `submitter`, which is the default, whoever the `image` says, or
        /// a user as `docker run --user` takes it.
        user: String = "submitter".to_owned(),
        /// The container's network, such as `none` or `host`; left to the engine by default, which is the host's with Apptainer.
        network: Option<String> = None,
        /// Processes and threads it may have at once; 4096 by default, `None` leaves it to the engine. Apptainer holds it
        /// where it can hold limits at all.
        #[schemars(range(min = 1))]
        pids_limit: Option<u32> = Some(4096),
        /// Whether a job is refused where the engine cannot hold it to `mem`, `cpus` or `pids_limit`, as Podman without
        /// root on cgroups v1; true by default. Otherwise it runs there without them.
        /// Of an Apptainer job, Slurm itself holds `mem` and `cpus`.
        require_limits: bool = true,
    }
}
