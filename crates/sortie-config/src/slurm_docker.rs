//! Settings of Slurm jobs in a container.

use std::path::{Path, PathBuf};

use crate::{activation::set_path, slurm::slurm_job_config};

slurm_job_config! {
    /// A Slurm job whose evaluator runs in a container.
    SlurmDockerJobConfig {
        /// The container image; `ubuntu:latest` by default.
        image: String = "ubuntu:latest".to_owned(),
        /// An archive to load the image from; blank is not set.
        image_tar_path: Option<PathBuf> = None,
        /// Further arguments of `docker run`, as a shell would split them.
        docker_flags: String = String::new(),
    }
}

impl SlurmDockerJobConfig {
    /// The archive to load the image from, if one is set.
    pub fn image_tar(&self) -> Option<&Path> {
        set_path(self.image_tar_path.as_ref())
    }
}
