//! Settings of jobs on this machine.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    EnvironmentPolicy, EvaluatorKind, Limits, PyValue, TimeLimit, Warm, extra_args, fields,
};

/// A job on this machine, optionally in a Conda or sourced environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalJobConfig {
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
    /// How long the job may run; without a limit by default.
    pub time: Option<TimeLimit>,
    /// Name or path of the Conda environment that holds Python; blank is not set.
    pub conda_env: Option<String>,
    /// Script to source before Python is looked for; blank is not set.
    pub activate_script: Option<PathBuf>,
    /// The Python to run where neither environment is set; blank is not set. Not for `evaluator: executable`, which
    /// runs as itself.
    pub python_executable: Option<PathBuf>,
    /// Whether the evaluator is told to be verbose; true by default.
    pub eval_verbose: bool,
    /// Threads numeric libraries may use; less than 1 counts as 1, `None` leaves them alone.
    pub numeric_threads_per_job: Option<i64>,
    /// GPUs that each job has to itself, of those that the launcher may see: all, or those of `CUDA_VISIBLE_DEVICES`,
    /// `HIP_VISIBLE_DEVICES` or `ROCR_VISIBLE_DEVICES`. A job finds its own in that variable; with 0 it sees none. By default
    /// (null) jobs see what the launcher sees.
    pub gpus: Option<u32>,
    /// CPUs that each job has to itself, of those that the launcher may use: it is bound to them, and numeric libraries are
    /// told how many, unless a variable tells them already. By default (null) jobs share what the launcher may use.
    #[schemars(range(min = 1))]
    pub cpus: Option<u32>,
    /// Whether the evaluator is kept warm, and how; `None`, that is cold, by default. In YAML `true`,
    /// `false` or a mapping.
    #[serde(with = "crate::warm")]
    #[schemars(with = "crate::schema::Warmth")]
    pub warm: Option<Warm>,
    /// What of the launcher's environment reaches the job.
    pub environment: EnvironmentPolicy,
    /// Bounds on stopping, logs and results.
    pub limits: Limits,
}

impl Default for LocalJobConfig {
    fn default() -> Self {
        Self {
            eval_program_path: fields::eval_program_path(),
            evaluator: EvaluatorKind::Python,
            extra_cmd_args: IndexMap::new(),
            time: None,
            conda_env: None,
            activate_script: None,
            python_executable: None,
            eval_verbose: true,
            numeric_threads_per_job: None,
            gpus: None,
            cpus: None,
            warm: None,
            environment: EnvironmentPolicy::default(),
            limits: Limits::default(),
        }
    }
}
