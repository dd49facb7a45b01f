//! From the settings to the script that Slurm is given.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use sortie_config::{Activation, EnvironmentPolicy, JobConfig, SlurmCondaJobConfig, TimeLimit};
use sortie_results::AttemptId;
use sortie_script::{Attempt, BatchActivation, BatchScript, Environment, Jobs, ScriptError};

use crate::SchedulerError;
use crate::here::Here;
use crate::job::Paths;

/// How the jobs of one scheduler are submitted.
pub(crate) struct Plan {
    /// As `slurm` below; kept whole, as the command line is for the settings of any kind.
    config: JobConfig,
    slurm: SlurmCondaJobConfig,
    pub(crate) here: Here,
    options: Vec<(String, Option<String>)>,
    inherited: Vec<(OsString, OsString)>,
    set: Vec<(OsString, OsString)>,
    evaluator_env: Vec<(String, String)>,
}

impl Plan {
    pub(crate) fn new(config: JobConfig, here: Here) -> Result<Self, SchedulerError> {
        let JobConfig::SlurmConda(slurm) = &config else {
            return Err(SchedulerError::NotYet(config.job_type()));
        };
        let slurm = slurm.clone();
        let policy = EnvironmentPolicy { set: IndexMap::default(), ..slurm.environment.clone() };
        let inherited = policy.select(here.env.iter().cloned());
        let set = slurm.environment.set.iter().map(|(name, value)| (name.into(), value.into()));
        let set = set.collect();
        let (options, evaluator_env) = (slurm.slurm().sbatch_options(), config.evaluator_env());
        Ok(Self { config, slurm, here, options, inherited, set, evaluator_env })
    }

    /// The evaluator's command line on a candidate.
    pub(crate) fn command(&self, paths: &Paths) -> Vec<OsString> {
        let args = self.config.evaluator_args(&paths.candidate, &paths.results_dir);
        [vec!["python".into()], args].concat()
    }

    /// The script for one job, or for an array of them.
    pub(crate) fn script(
        &self,
        name: &str,
        attempts: &[Planned<'_>],
    ) -> Result<String, ScriptError> {
        let ids: Vec<_> = attempts.iter().map(|planned| planned.attempt.to_string()).collect();
        let attempts: Vec<_> = attempts.iter().zip(&ids).map(|(p, id)| p.attempt(id)).collect();
        let jobs = match attempts.as_slice() {
            [one] => Jobs::One(one),
            elements => Jobs::Array { elements, at_once: None },
        };
        let narrowed = self.inherited.len() < self.here.env.len();
        let script = BatchScript {
            version: env!("CARGO_PKG_VERSION"),
            name,
            jobs,
            options: &self.options,
            early_term_seconds: self.early_term(),
            directory: &self.here.cwd,
            environment: Environment {
                inherited: &self.inherited,
                set: &self.set,
                evaluator: &self.evaluator_env,
                only_these: narrowed,
            },
            modules: &self.slurm.modules,
            activation: match self.slurm.activation() {
                Activation::None => BatchActivation::None,
                Activation::Conda(name) => BatchActivation::Conda(name),
                Activation::Sourced(script) => BatchActivation::Sourced(script),
            },
            grace: self.slurm.limits.grace,
            max_log_bytes: self.slurm.limits.max_log_bytes,
        };
        script.render()
    }

    /// The script for some job, whose paths are made up.
    pub(crate) fn script_of_example(&self) -> Result<String, ScriptError> {
        let paths = Paths::new(Path::new("candidate"), &self.here.cwd);
        let (attempt, command) = (AttemptId::generate(), self.command(&paths));
        let (candidate, results_dir) = (&*paths.candidate, &*paths.results_dir);
        let planned = Planned { attempt, candidate, results_dir, command };
        self.script(&job_name(attempt), &[planned])
    }

    /// The evaluator, as the user gave it.
    pub(crate) fn evaluator(&self) -> &Path {
        self.config.eval_program_path()
    }

    /// The job's time limit.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.config.time_limit()
    }

    /// How long before the time limit the script is told to end, in seconds.
    pub(crate) fn early_term(&self) -> u32 {
        self.slurm.slurm().early_term_seconds()
    }

    /// How many more attempts a job may have after a failure of the infrastructure.
    pub(crate) fn retries(&self) -> u32 {
        self.slurm.infrastructure_retries
    }

    /// How long a job may wait in Slurm's queue.
    pub(crate) fn max_queue_time(&self) -> Option<Duration> {
        self.slurm.max_queue_time.and_then(TimeLimit::as_duration)
    }
}

/// The name of the Slurm job whose first attempt this is: nothing else has it.
pub(crate) fn job_name(attempt: AttemptId) -> String {
    format!("sortie-{attempt}")
}

/// An attempt, as the script takes it.
pub(crate) struct Planned<'a> {
    pub(crate) attempt: AttemptId,
    pub(crate) candidate: &'a Path,
    /// Absolute.
    pub(crate) results_dir: &'a Path,
    pub(crate) command: Vec<OsString>,
}

impl<'a> Planned<'a> {
    fn attempt(&'a self, id: &'a str) -> Attempt<'a> {
        let Self { candidate, results_dir, command, .. } = self;
        Attempt { id, candidate, results_dir, command }
    }
}
