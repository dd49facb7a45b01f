//! Settings of Slurm jobs in a Conda or sourced environment.

use std::path::PathBuf;

use crate::{Activation, activation::activation, slurm::slurm_job_config};

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

impl SlurmCondaJobConfig {
    /// How the job sets up its environment.
    pub fn activation(&self) -> Activation<'_> {
        activation(&self.conda_env, self.activate_script.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn blank_is_not_set() {
        let mut config = SlurmCondaJobConfig { conda_env: "  ".into(), ..Default::default() };
        assert_eq!(config.activation(), Activation::None);
        config.activate_script = Some(" env.sh ".into());
        assert_eq!(config.activation(), Activation::Sourced(Path::new("env.sh")));
        config.conda_env = "shinka".into();
        assert_eq!(config.activation(), Activation::Conda("shinka"));
    }
}
