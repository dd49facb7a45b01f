//! From the settings to the script that Slurm is given.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indexmap::IndexMap;
use sortie_config::{
    Activation, EnvironmentPolicy, EvaluatorKind, JobInside, JobSpec, SlurmRequest, TimeLimit,
};
use sortie_results::AttemptId;
use sortie_script::{Attempt, BatchScript, Container, Environment, Jobs, Mount, ScriptError};

use super::requested::Requested;
use crate::SchedulerError;
use crate::container::{Containers, probe};
use crate::evaluator::{self, Digest, EvaluatorProblem};
use crate::here::Here;
use crate::job::Paths;

/// How the jobs of one scheduler are submitted.
pub(crate) struct Plan {
    pub(crate) spec: JobSpec,
    /// The containers that the jobs run in, if any.
    containers: Option<Containers>,
    pub(crate) here: Here,
    options: Vec<(String, Option<String>)>,
    /// What of these options the launcher's environment asks for.
    pub(crate) requested: Requested,
    inherited: Vec<(OsString, OsString)>,
    set: Vec<(OsString, OsString)>,
    evaluator_env: Vec<(String, String)>,
    /// The longest grace period that Slurm leaves a job, once it is known.
    longest_grace: OnceLock<Duration>,
    digest: Digest,
}

/// What a script needs of Slurm's `KillWait` once its evaluator is dead: to remove the container …
const REMOVAL: Duration = Duration::from_secs(2);
/// … and without one, to record the end.
const RECORD: Duration = Duration::from_secs(1);

impl Plan {
    pub(crate) fn new(spec: JobSpec, here: Here) -> Result<Self, SchedulerError> {
        let mut options = spec.slurm().map(SlurmRequest::sbatch_options).unwrap_or_default();
        let requested = Requested::by(&here.env, &options);
        options.extend(requested.options.iter().cloned());
        let containers = Containers::new(&spec, &here)?;
        let (inherited, set, evaluator_env) = if containers.is_some() {
            let (inherited, secret) = Containers::of_engine_on_node(&here);
            if !secret.is_empty() {
                tracing::warn!(
                    ?secret,
                    "these hold credentials, and do not reach the engine on nodes"
                );
            }
            (inherited, Vec::new(), Vec::new())
        } else {
            let policy = &spec.environment;
            let set = policy.set.iter().map(|(name, value)| (name.into(), value.into()));
            let inherited = EnvironmentPolicy { set: IndexMap::default(), ..policy.clone() };
            let inherited = inherited.select(here.env.iter().cloned());
            (inherited, set.collect(), spec.evaluator_env())
        };
        let longest_grace = OnceLock::new();
        Ok(Self {
            spec,
            containers,
            here,
            options,
            requested,
            inherited,
            set,
            evaluator_env,
            longest_grace,
            digest: Digest::default(),
        })
    }

    /// The evaluator's command line on a candidate.
    pub(crate) fn command(&self, paths: &Paths) -> Vec<OsString> {
        paths.command(&self.spec)
    }

    /// The evaluator in words, or why no job can use it, as far as it is seen from here.
    pub(crate) fn usable(&self) -> Result<String, EvaluatorProblem> {
        evaluator::judge(&self.spec, &self.here, None)
    }

    /// The SHA-256 of the evaluator's file as it stands now.
    pub(crate) fn evaluator_sha256(&self) -> Option<Arc<str>> {
        self.digest.of(&self.spec, &self.here)
    }

    /// An attempt with these files; the results dir once more, as an absolute path.
    pub(crate) fn planned<'a>(
        &self,
        attempt: AttemptId,
        paths: &'a Paths,
        results_dir: &'a Path,
        state_dir: &'a Path,
    ) -> Planned<'a> {
        Planned {
            attempt,
            paths,
            results_dir,
            state_dir,
            command: self.command(paths),
            mounts: Containers::mounts(&self.spec, &self.here, paths),
        }
    }

    /// The script for one job, or for an array of them.
    pub(crate) fn script(
        &self,
        name: &str,
        attempts: &[Planned<'_>],
    ) -> Result<String, ScriptError> {
        let containers: Vec<_> = attempts.iter().map(|planned| self.container(planned)).collect();
        let attempts = attempts.iter().zip(&containers);
        let attempts: Vec<_> = attempts.map(|(p, c)| p.attempt(c.as_ref())).collect();
        let jobs = match attempts.as_slice() {
            [one] => Jobs::One(one),
            elements => Jobs::Array { elements, at_once: None },
        };
        let (modules, activation) = match &self.spec.inside {
            JobInside::Host { modules, activation } => (modules.as_slice(), activation),
            JobInside::Container(_) => (&[][..], &Activation::None),
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
            modules,
            activation,
            by_python: self.spec.evaluator_kind == EvaluatorKind::Python,
            grace: self.grace(),
            max_log_bytes: self.spec.limits.max_log_bytes,
        };
        script.render()
    }

    fn container<'a>(&'a self, planned: &'a Planned<'_>) -> Option<Container<'a>> {
        let probe = probe(&self.spec, &planned.command, planned.paths);
        Some(self.containers.as_ref()?.of(planned.attempt, &planned.mounts, probe))
    }

    /// About how much of a script is for one job, in bytes.
    pub(crate) fn script_bytes(&self, paths: &Paths) -> usize {
        let command: usize = self.command(paths).iter().map(|arg| arg.len() + 4).sum();
        let dir = paths.results_dir.as_os_str().len() + self.here.cwd.as_os_str().len();
        let script = command + 2 * dir + paths.candidate.as_os_str().len() + 256;
        let container = self.containers.as_ref().map_or(0, |all| all.bytes() + 6 * dir);
        script + container
    }

    /// The script for some job, whose paths are made up.
    pub(crate) fn script_of_example(&self) -> Result<String, ScriptError> {
        let paths = Paths::new(Path::new("candidate"), &self.here.cwd);
        let attempt = AttemptId::generate();
        let planned = self.planned(attempt, &paths, &paths.results_dir, &paths.results_dir);
        self.script(&attempt.name(), &[planned])
    }

    /// The job's time limit.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.spec.time_limit
    }

    /// How long before the time limit the script is told to end, in seconds.
    pub(crate) fn early_term(&self) -> u32 {
        self.slurm().map_or(0, SlurmRequest::early_term_seconds)
    }

    /// Slurm kills a job's script so long after it has told it to end (slurm.conf(5), `KillWait`), and what the script
    /// does at its end must be done by then.
    pub(crate) fn heed_kill_wait(&self, kill_wait: Duration) {
        let end = if self.containers.is_some() { REMOVAL } else { RECORD };
        let longest = kill_wait.saturating_sub(end);
        if self.longest_grace.set(longest).is_ok() && self.grace() < self.spec.limits.grace {
            tracing::warn!(?kill_wait, grace = ?longest, "Slurm's KillWait shortens the grace period");
        }
    }

    /// From SIGTERM to SIGKILL.
    pub(crate) fn grace(&self) -> Duration {
        let wanted = self.spec.limits.grace;
        self.longest_grace.get().map_or(wanted, |longest| wanted.min(*longest))
    }

    /// How many more attempts a job may have after a failure of the infrastructure.
    pub(crate) fn retries(&self) -> u32 {
        self.slurm().map_or(0, |slurm| slurm.infrastructure_retries)
    }

    /// How long a job may wait in Slurm's queue.
    pub(crate) fn max_queue_time(&self) -> Option<Duration> {
        self.slurm()?.max_queue_time.and_then(TimeLimit::as_duration)
    }

    /// Whether sbatch is given this option.
    pub(crate) fn asks_for(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| name == option)
    }

    /// The value that an option of sbatch is given.
    pub(crate) fn option(&self, option: &str) -> Option<&str> {
        self.options.iter().rev().find(|(name, _)| name == option)?.1.as_deref()
    }

    pub(crate) fn slurm(&self) -> Option<&SlurmRequest> {
        self.spec.slurm()
    }
}

/// An attempt, as the script takes it.
pub(crate) struct Planned<'a> {
    pub(crate) attempt: AttemptId,
    paths: &'a Paths,
    /// Absolute, as is the next.
    pub(crate) results_dir: &'a Path,
    pub(crate) state_dir: &'a Path,
    pub(crate) command: Vec<OsString>,
    /// What a container sees of the host's files.
    mounts: Vec<Mount>,
}

impl<'a> Planned<'a> {
    fn attempt(&'a self, container: Option<&'a Container<'a>>) -> Attempt<'a> {
        let Self { attempt: id, paths, results_dir, state_dir, command, .. } = self;
        Attempt { id: *id, candidate: &paths.candidate, results_dir, state_dir, command, container }
    }
}
