//! Settings of Slurm jobs in a Conda or sourced environment.

use std::path::PathBuf;

use crate::slurm::slurm_job_config;

slurm_job_config! {
    /// A Slurm job, optionally in a Conda or sourced environment.
    SlurmCondaJobConfig {
        /// Name or path of the Conda environment to activate; blank is not set.
        #[serde(deserialize_with = "crate::fields::null_is_empty")]
        #[schemars(with = "Option<String>")]
        conda_env: String = String::new(),
        /// Script to source instead; blank is not set.
        activate_script: Option<PathBuf> = None,
        /// Environment modules to load first, in order.
        #[serde(deserialize_with = "crate::fields::null_is_empty")]
        #[schemars(with = "Option<Vec<String>>")]
        modules: Vec<String> = Vec::new(),
    }
}
