//! Settings of Slurm jobs in a Conda or sourced environment.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    Activation, EnvironmentPolicy, Limits, Memory, PyValue, TimeLimit, extra_args, fields,
};

/// A Slurm job, optionally in a Conda or sourced environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlurmCondaJobConfig {
    /// The user's program that judges a candidate; `evaluate.py` by default.
    #[serde(deserialize_with = "fields::null_is_evaluate_py")]
    pub eval_program_path: PathBuf,
    /// Passed to the evaluator as `--KEY VALUE`, in order.
    #[serde(deserialize_with = "extra_args::deserialize")]
    pub extra_cmd_args: IndexMap<String, PyValue>,
    /// Name or path of the Conda environment to activate; blank is not set.
    #[serde(deserialize_with = "fields::null_is_empty")]
    pub conda_env: String,
    /// Script to source instead; blank is not set.
    pub activate_script: Option<PathBuf>,
    /// Environment modules to load first, in order.
    #[serde(deserialize_with = "fields::null_is_empty")]
    pub modules: Vec<String>,
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

impl Default for SlurmCondaJobConfig {
    fn default() -> Self {
        Self {
            eval_program_path: fields::eval_program_path(),
            extra_cmd_args: IndexMap::new(),
            conda_env: String::new(),
            activate_script: None,
            modules: Vec::new(),
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

impl SlurmCondaJobConfig {
    /// How the job sets up its environment.
    pub fn activation(&self) -> Activation<'_> {
        Activation::new(&self.conda_env, self.activate_script.as_ref())
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
