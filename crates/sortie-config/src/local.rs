//! Settings of jobs on this machine.

use std::path::PathBuf;

use crate::{TimeLimit, Warm, fields::job_settings};

job_settings! {
    /// A job on this machine, optionally in a Conda or sourced environment.
    LocalJobConfig {
        /// How long the job may run; without a limit by default.
        time: Option<TimeLimit> = None,
        /// Name or path of the Conda environment that holds Python; blank is not set.
        conda_env: Option<String> = None,
        /// Script to source before Python is looked for; blank is not set.
        activate_script: Option<PathBuf> = None,
        /// The Python to run where neither environment is set; blank is not set. Not for `evaluator: executable`, which
        /// runs as itself.
        python_executable: Option<PathBuf> = None,
        /// Whether the evaluator is told to be verbose; true by default.
        eval_verbose: bool = true,
        /// Threads numeric libraries may use; less than 1 counts as 1, `None` leaves them alone.
        numeric_threads_per_job: Option<i64> = None,
        /// GPUs that each job has to itself, of those that the launcher may see: all, or those of `CUDA_VISIBLE_DEVICES`,
        /// `HIP_VISIBLE_DEVICES` or `ROCR_VISIBLE_DEVICES`. A job finds its own in that variable; with 0 it sees none. By default
        /// (null) jobs see what the launcher sees.
        gpus: Option<u32> = None,
        /// CPUs that each job has to itself, of those that the launcher may use: it is bound to them, and numeric libraries are
        /// told how many, unless a variable tells them already. By default (null) jobs share what the launcher may use.
        #[schemars(range(min = 1))]
        cpus: Option<u32> = None,
        /// Whether the evaluator is kept warm, and how; `None`, that is cold, by default. In YAML `true`,
        /// `false` or a mapping.
        #[serde(with = "crate::warm")]
        #[schemars(with = "crate::schema::Warmth")]
        warm: Option<Warm> = None,
    }
}
