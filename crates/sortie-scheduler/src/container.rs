//! From the settings to the container of an attempt.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use sortie_config::glob::Pattern;
use sortie_config::{ApptainerImage, EnvironmentPolicy, EvaluatorKind, JobSpec};
use sortie_model::{AttemptId, ContainerSpec, EngineKind, WORKSPACE};
use sortie_results::{End, Fault, Outcome};
use sortie_script::{Container, Files, Flags, INFRASTRUCTURE_STEPS, Mount, Trial, Variable};

use crate::SchedulerError;
use crate::here::Here;
use crate::job::Paths;

/// What of the launcher's environment the engine's command is given, beside what the job's machine sets: where the
/// engine, its settings and its proxies are.
const FOR_ENGINE: [&str; 39] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_*",
    "XDG_*",
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTENT_TRUST*",
    "DOCKER_CONTEXT",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_HOST",
    "DOCKER_TLS*",
    "CONTAINER_CONNECTION",
    "CONTAINER_HOST",
    "CONTAINER_PROXY",
    "CONTAINER_SSHKEY",
    "CONTAINER_TLS_*",
    "CONTAINERS_*",
    "PODMAN_*",
    "REGISTRY_AUTH_FILE",
    "SSL_CERT_*",
    "[hH][tT][tT][pP]_[pP][rR][oO][xX][yY]",
    "[hH][tT][tT][pP][sS]_[pP][rR][oO][xX][yY]",
    "[aA][lL][lL]_[pP][rR][oO][xX][yY]",
    "[nN][oO]_[pP][rR][oO][xX][yY]",
    "SSH_AUTH_SOCK",
    // Not what changes a container, such as APPTAINER_BIND or APPTAINERENV_PATH.
    "APPTAINER_CACHEDIR",
    "APPTAINER_CONFIGDIR",
    "APPTAINER_DOCKER_USERNAME",
    "APPTAINER_NOHTTPS",
    "APPTAINER_TMPDIR",
    "SINGULARITY_CACHEDIR",
    "SINGULARITY_CONFIGDIR",
    "SINGULARITY_DOCKER_USERNAME",
    "SINGULARITY_NOHTTPS",
    "SINGULARITY_TMPDIR",
];

/// Credentials, which an engine here is given, too. The script of a Slurm job holds what it exports, and lies in the
/// results dir, which containers see: nothing of the kind may be in it.
const SECRETS: [&str; 4] = [
    "DOCKER_AUTH_CONFIG",
    "CONTAINER_PASSPHRASE",
    "APPTAINER_DOCKER_PASSWORD",
    "SINGULARITY_DOCKER_PASSWORD",
];

/// What the containers of one scheduler's jobs have in common.
pub(crate) struct Containers {
    /// As the settings ask for it, with absolute paths.
    spec: ContainerSpec,
    flags: Flags,
    launcher: String,
    environment: Vec<(OsString, OsString)>,
}

impl Containers {
    /// `None` for jobs that run in none.
    pub(crate) fn new(spec: &JobSpec, here: &Here) -> Result<Option<Self>, SchedulerError> {
        let Some(mut container) = spec.container().cloned() else { return Ok(None) };
        let variable = |name: &str| {
            let found = here.env.iter().rev().find(|(variable, _)| variable == name);
            found.and_then(|(_, value)| value.to_str()).map(str::to_owned)
        };
        let mut flags = Flags::parse(container.kind, &container.flags, variable)?;
        // Only what is asked for in so many words may stand in a script that is kept beside the results dir.
        let kept = spec.slurm().is_some();
        let find = |name: &str| here.env.iter().rev().find(|(variable, _)| variable == name);
        let value = |name: &str| match find(name).map(|(_, value)| value.to_str()) {
            None => Variable::Unset,
            Some(_) if kept => Variable::Withheld,
            Some(None) => Variable::NotText,
            Some(Some(value)) => Variable::Is(value.to_owned()),
        };
        flags.resolve(value, |path| {
            std::fs::read_to_string(here.cwd.join(path)).map_err(|error| error.to_string())
        })?;
        container.image = image(&container, here)?;
        for path in [&mut container.archive, &mut container.cache].into_iter().flatten() {
            *path = here.cwd.join(&*path);
        }
        // What Apptainer runs is among the processes of the job, which Slurm holds to its limits.
        if kept && container.kind == EngineKind::Apptainer {
            (container.cpus, container.memory_bytes) = (None, None);
        }
        Ok(Some(Self {
            spec: container,
            flags,
            launcher: format!("process {} on {}", std::process::id(), here.host),
            environment: environment(spec, here),
        }))
    }

    /// The environment of the engine's command here.
    pub(crate) fn of_engine(here: &Here) -> Vec<(OsString, OsString)> {
        let names = FOR_ENGINE.iter().chain(&SECRETS);
        let allow = names.filter_map(|name| Pattern::new(name).ok()).collect();
        let policy = EnvironmentPolicy { allow, ..EnvironmentPolicy::default() };
        policy.select(here.env.iter().cloned())
    }

    /// The environment of the engine's command on a node, and the names of what it does not get: what would be a
    /// secret in the script.
    pub(crate) fn of_engine_on_node(here: &Here) -> (Vec<(OsString, OsString)>, Vec<OsString>) {
        let (kept, secret): (Vec<_>, Vec<_>) =
            Self::of_engine(here).into_iter().partition(|(name, value)| !is_secret(name, value));
        (kept, secret.into_iter().map(|(name, _)| name).collect())
    }

    /// About how long the arguments of one container are, but for its mounts, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let environment =
            self.environment.iter().map(|(name, value)| name.len() + value.len() + 10);
        let flags = self.flags.words().iter().map(|word| word.len() + 3);
        environment.chain(flags).sum::<usize>() + 512
    }

    /// What the container of a job sees of the host's files.
    pub(crate) fn mounts(spec: &JobSpec, here: &Here, paths: &Paths) -> Vec<Mount> {
        let files = Files {
            directory: &here.cwd,
            mount_programs: spec.container().is_some_and(|it| it.mount_workspace),
            evaluator: &spec.evaluator,
            candidate: &paths.candidate,
            results_dir: &paths.results_dir,
        };
        files.mounts()
    }

    /// The container of an attempt.
    pub(crate) fn of<'a>(
        &'a self,
        attempt: AttemptId,
        mounts: &'a [Mount],
        probe: Option<[&'a OsStr; 2]>,
    ) -> Container<'a> {
        Container {
            attempt,
            launcher: &self.launcher,
            spec: &self.spec,
            mounts,
            directory: WORKSPACE.as_ref(),
            probe,
            trial: Trial::No,
            environment: &self.environment,
            flags: &self.flags,
        }
    }
}

/// The image, as the engine takes it on any node: to Apptainer a path is absolute.
fn image(container: &ContainerSpec, here: &Here) -> Result<String, SchedulerError> {
    let absolute = |path: &Path| {
        let path = here.cwd.join(path).into_os_string();
        let not_text = |path: OsString| {
            SchedulerError::NotReady(format!("the image {} is no text", path.display()))
        };
        path.into_string().map_err(not_text)
    };
    if container.kind == EngineKind::Docker {
        return Ok(container.image.clone());
    }
    match ApptainerImage::of(&container.image) {
        Some(ApptainerImage::Path(path)) => absolute(path),
        Some(ApptainerImage::Archive { transport, path }) => {
            Ok(format!("{transport}:{}", absolute(path)?))
        }
        Some(ApptainerImage::Registry(_)) | None => Ok(container.image.clone()),
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
        End::SetupFailed { step, status, reason } => {
            let reason = match reason {
                Some(why) => format!("{step}: {why} (status {status} on {host})"),
                None => format!("{step}: status {status} on {host}"),
            };
            let may_pass = INFRASTRUCTURE_STEPS.contains(&step.as_str());
            let fault = if may_pass { Fault::Infrastructure } else { Fault::Setup };
            Outcome::SetupFailed { reason, fault }
        }
        End::Terminated { .. } | End::Restarted => return None,
    })
}

/// What is run in the evaluator's place to try a container: the program that its command line starts with, if that
/// can be given a text to run, and the results dir as the command line has it.
pub(crate) fn probe<'a>(
    spec: &JobSpec,
    command: &'a [OsString],
    paths: &'a Paths,
) -> Option<[&'a OsStr; 2]> {
    let by_python = spec.evaluator_kind == EvaluatorKind::Python;
    let program = command.first().filter(|program| by_python && *program == spec.python())?;
    Some([program, paths.results_dir.as_os_str()])
}

/// Whether a variable for the engine holds credentials, which an address of a proxy may.
fn is_secret(name: &OsStr, value: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let has_user = value.as_encoded_bytes().contains(&b'@');
    SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(&name))
        || (name.ends_with("_proxy") && has_user)
}

/// What gets into the container: what the evaluator is told, what of the launcher's environment the
/// settings allow by name (to allow all, as is the default, is not to ask for any), and what they set.
fn environment(spec: &JobSpec, here: &Here) -> Vec<(OsString, OsString)> {
    let mut policy = spec.environment.clone();
    policy.allow.retain(|pattern| pattern.as_str() != "*");
    let asked_for = policy.select(here.env.iter().cloned());
    let told = spec.evaluator_env().into_iter().map(|(name, value)| (name.into(), value.into()));
    let is_set = |name: &OsStr| asked_for.iter().any(|(asked, _)| asked == name);
    let told = told.filter(|(name, _): &(OsString, OsString)| !is_set(name)).collect();
    let told = [told, asked_for].concat();
    let counts = spec.cpu_counts(|name| told.iter().any(|(other, _)| other == name));
    let counts = counts.into_iter().map(|(name, value)| (name.into(), value.into()));
    counts.chain(told).collect()
}
