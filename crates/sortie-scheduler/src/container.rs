//! From the settings to the container of an attempt.

use std::ffi::OsString;
use std::path::PathBuf;

use sortie_config::glob::Pattern;
use sortie_config::{ContainerUser, EnvironmentPolicy, JobConfig, PullPolicy};
use sortie_results::{End, Fault, Outcome};
use sortie_script::{Container, Files, Flags, INFRASTRUCTURE_STEPS, Mount, Pull, User, WORKSPACE};

use crate::SchedulerError;
use crate::here::Here;
use crate::job::Paths;

/// What of the launcher's environment the engine's command is given, beside what the job's machine sets:
/// where the engine and its settings are. The script holds it and lies in the results dir, which the
/// container sees, so no key may be among it.
const FOR_ENGINE: [&str; 11] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_*",
    "XDG_*",
    "DOCKER_*",
    "CONTAINER_*",
    "CONTAINERS_*",
    "REGISTRY_AUTH_FILE",
];

/// What the containers of one scheduler's jobs have in common.
pub(crate) struct Containers {
    flags: Flags,
    launcher: String,
    archive: Option<PathBuf>,
    cache: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

impl Containers {
    /// `None` for jobs that run in none.
    pub(crate) fn new(config: &JobConfig, here: &Here) -> Result<Option<Self>, SchedulerError> {
        let Some(settings) = config.container() else { return Ok(None) };
        let variable = |name: &str| {
            let found = here.env.iter().rev().find(|(variable, _)| variable == name);
            found.and_then(|(_, value)| value.to_str()).map(str::to_owned)
        };
        Ok(Some(Self {
            flags: Flags::parse(settings.flags, variable)?,
            launcher: format!("process {} on {}", std::process::id(), here.host),
            archive: settings.image_tar.map(|path| here.cwd.join(path)),
            cache: settings.image_cache.map(|path| here.cwd.join(path)),
            environment: environment(config, here),
        }))
    }

    /// The environment of the engine's command.
    pub(crate) fn of_engine(here: &Here) -> Vec<(OsString, OsString)> {
        let allow = FOR_ENGINE.iter().filter_map(|name| Pattern::new(name).ok()).collect();
        let policy = EnvironmentPolicy { allow, ..EnvironmentPolicy::default() };
        policy.select(here.env.iter().cloned())
    }

    /// About how long the arguments of one container are, but for its mounts, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let environment =
            self.environment.iter().map(|(name, value)| name.len() + value.len() + 10);
        let flags = self.flags.words().iter().map(|word| word.len() + 3);
        environment.chain(flags).sum::<usize>() + 512
    }

    /// What the container of a job sees of the host's files.
    pub(crate) fn mounts(config: &JobConfig, here: &Here, paths: &Paths) -> Vec<Mount> {
        let files = Files {
            directory: &here.cwd,
            mount_programs: config.container().is_some_and(|it| it.mount_workspace),
            evaluator: config.eval_program_path(),
            candidate: &paths.candidate,
            results_dir: &paths.results_dir,
        };
        files.mounts()
    }

    /// The container of an attempt.
    pub(crate) fn of<'a>(
        &'a self,
        config: &'a JobConfig,
        attempt: &'a str,
        mounts: &'a [Mount],
    ) -> Option<Container<'a>> {
        let settings = config.container()?;
        Some(Container {
            attempt,
            launcher: &self.launcher,
            engine: settings.engine,
            image: settings.image,
            archive: self.archive.as_deref(),
            pull: match settings.pull {
                PullPolicy::Missing => Pull::Missing,
                PullPolicy::Always => Pull::Always,
                PullPolicy::Never => Pull::Never,
            },
            cache: self.cache.as_deref(),
            mounts,
            directory: WORKSPACE.as_ref(),
            user: match settings.user {
                ContainerUser::Submitter => User::Submitter,
                ContainerUser::Image => User::Image,
                ContainerUser::Named(name) => User::Named(name),
            },
            gpus: settings.gpus,
            cpus: settings.cpus,
            memory_bytes: settings.memory.and_then(sortie_config::Memory::as_bytes),
            pids: settings.pids_limit,
            network: settings.network,
            environment: &self.environment,
            flags: &self.flags,
        })
    }
}

/// What the end of an evaluator, as a script saw it, means for the attempt; `None` if that is for others
/// to tell: it was asked to stop, or not run.
pub(crate) fn outcome(end: &End, host: &str) -> Option<Outcome> {
    Some(match end {
        End::Exited { code } => Outcome::Exited { code: *code },
        End::Signaled { signal } => Outcome::signaled(*signal),
        End::OutputLimit { limit_bytes } => Outcome::OutputLimit { limit_bytes: *limit_bytes },
        End::OutOfMemory => Outcome::OutOfMemory,
        End::EngineFailed { status } => {
            let reason = format!("the container engine failed on {host}: status {status}");
            Outcome::NodeFailed { reason }
        }
        End::SetupFailed { step, status } => {
            let reason = format!("{step}: status {status} on {host}");
            let may_pass = INFRASTRUCTURE_STEPS.contains(&step.as_str());
            let fault = if may_pass { Fault::Infrastructure } else { Fault::Setup };
            Outcome::SetupFailed { reason, fault }
        }
        End::Terminated { .. } | End::Restarted => return None,
    })
}

/// What gets into the container: what the evaluator is told, what of the launcher's environment the
/// settings allow by name (to allow all, as is the default, is not to ask for any), and what they set.
fn environment(config: &JobConfig, here: &Here) -> Vec<(OsString, OsString)> {
    let mut policy = config.environment().clone();
    policy.allow.retain(|pattern| pattern.as_str() != "*");
    let asked_for = policy.select(here.env.iter().cloned());
    let told = config.evaluator_env().into_iter().map(|(name, value)| (name.into(), value.into()));
    let is_set = |name: &OsString| asked_for.iter().any(|(asked, _)| asked == name);
    told.filter(|(name, _): &(OsString, OsString)| !is_set(name)).chain(asked_for.clone()).collect()
}
