//! The values of a container, owned: from a file, or changed by a test.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use serde::Deserialize;
use sortie_model::{
    Activation, AttemptId, ContainerSpec, ContainerUser, EngineKind, PullPolicy, inside,
};
use sortie_script::{
    Attempt, BatchScript, Container, Environment, Files, Flags, Jobs, ScriptError, Trial,
};

/// A file of `tests/container`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    /// The number that is the attempt's id.
    #[serde(skip)]
    pub(crate) id: u128,
    /// What the script exports to the engine's command.
    #[serde(skip)]
    pub(crate) inherited: Vec<(OsString, OsString)>,
    pub(crate) engine: String,
    pub(crate) image: String,
    pub(crate) archive: Option<PathBuf>,
    pub(crate) pull: PullPolicy,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) directory: PathBuf,
    pub(crate) mount_programs: bool,
    pub(crate) evaluator: PathBuf,
    pub(crate) candidate: PathBuf,
    pub(crate) results_dir: PathBuf,
    pub(crate) user: Option<String>,
    pub(crate) gpus: bool,
    pub(crate) cpus: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) pids: Option<u32>,
    pub(crate) strict: bool,
    /// The program that the probe is for, if it is to be tried.
    pub(crate) probe: Option<String>,
    #[serde(skip)]
    pub(crate) trial: Trial,
    pub(crate) network: Option<String>,
    #[serde(deserialize_with = "pairs")]
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) docker_flags: String,
    /// Of an engine whose name is that.
    pub(crate) apptainer_flags: String,
    #[serde(skip)]
    pub(crate) command: Vec<OsString>,
}

fn pairs<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<(OsString, OsString)>, D::Error> {
    let pairs = Vec::<(String, String)>::deserialize(from)?;
    Ok(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

impl Default for Case {
    fn default() -> Self {
        Self {
            id: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
            inherited: Vec::new(),
            engine: "docker".into(),
            archive: None,
            pull: PullPolicy::Missing,
            cache: None,
            gpus: false,
            image: "ubuntu:latest".into(),
            directory: "/home/me/work".into(),
            mount_programs: true,
            evaluator: "evaluate.py".into(),
            candidate: "gen_7/main.py".into(),
            results_dir: "gen_7/results".into(),
            user: None,
            cpus: None,
            memory_bytes: None,
            pids: None,
            strict: true,
            probe: None,
            trial: Trial::No,
            network: None,
            environment: Vec::new(),
            docker_flags: String::new(),
            apptainer_flags: String::new(),
            command: Vec::new(),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    (name == "PWD").then(|| "/home/me/work".into())
}

impl Case {
    pub(crate) fn attempt(&self) -> String {
        format!("{:032x}", self.id)
    }

    pub(crate) fn render(&self) -> Result<String, ScriptError> {
        let files = Files {
            directory: &self.directory,
            mount_programs: self.mount_programs,
            evaluator: &self.evaluator,
            candidate: &self.candidate,
            results_dir: &self.results_dir,
        };
        let spec = self.spec();
        let (mounts, flags) =
            (files.mounts(), Flags::parse(spec.kind, &spec.flags, variable).unwrap());
        let id: AttemptId = self.attempt().parse().unwrap();
        let results_dir = self.directory.join(&self.results_dir);
        let container = Container {
            attempt: id,
            launcher: "sortie 0.0.0, process 7 on login1",
            spec: &spec,
            mounts: &mounts,
            directory: "/workspace".as_ref(),
            probe: self.probe.as_ref().map(|program| [program.as_ref(), results_dir.as_os_str()]),
            trial: self.trial,
            environment: &self.environment,
            flags: &flags,
        };
        let command = self.command();
        let attempt = Attempt {
            id,
            candidate: &self.candidate,
            results_dir: &results_dir,
            // One for all, so that all that is left is in one place.
            state_dir: &results_dir,
            command: &command,
            container: Some(&container),
        };
        let script = BatchScript {
            version: "0.0.0",
            name: &id.name(),
            jobs: Jobs::One(&attempt),
            options: &[],
            early_term_seconds: 0,
            directory: &self.directory,
            environment: Environment { inherited: &self.inherited, ..Environment::default() },
            modules: &[],
            activation: &Activation::None,
            by_python: true,
            grace: Duration::from_secs(1),
            max_log_bytes: 1 << 20,
        };
        script.render()
    }

    fn spec(&self) -> ContainerSpec {
        ContainerSpec {
            kind: EngineKind::of(&self.engine).unwrap_or_default(),
            engine: self.engine.clone(),
            image: self.image.clone(),
            archive: self.archive.clone(),
            pull: self.pull,
            cache: self.cache.clone(),
            mount_workspace: self.mount_programs,
            user: self.user.clone().map_or(ContainerUser::Submitter, ContainerUser::Named),
            network: self.network.clone(),
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            pids_limit: self.pids,
            require_limits: self.strict,
            gpus: self.gpus,
            flags: [self.docker_flags.as_str(), &self.apptainer_flags].concat(),
        }
    }

    /// The command given, or else the evaluator's.
    fn command(&self) -> Vec<OsString> {
        if !self.command.is_empty() {
            return self.command.clone();
        }
        let evaluator = ["python".into(), inside(&self.evaluator), "--program_path".into()];
        let results_dir = ["--results_dir".into(), self.results_dir.clone().into()];
        evaluator.into_iter().chain([inside(&self.candidate)]).chain(results_dir).collect()
    }
}
