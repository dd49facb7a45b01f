//! The values of a container, owned: from a file, or changed by a test.

use std::{ffi::OsString, path::PathBuf};

use serde::Deserialize;
use sortie_script::{Container, ContainerError, Files, Flags, inside};

/// A file of `tests/container`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) image: String,
    pub(crate) directory: PathBuf,
    pub(crate) mount_programs: bool,
    pub(crate) evaluator: PathBuf,
    pub(crate) candidate: PathBuf,
    pub(crate) results_dir: PathBuf,
    pub(crate) user: Option<String>,
    pub(crate) cpus: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) pids: Option<u32>,
    pub(crate) network: Option<String>,
    #[serde(deserialize_with = "pairs")]
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) docker_flags: String,
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
            network: None,
            environment: Vec::new(),
            docker_flags: String::new(),
            command: Vec::new(),
        }
    }
}

impl Case {
    /// All arguments of `docker create`.
    pub(crate) fn render(&self) -> Result<Vec<String>, ContainerError> {
        let files = Files {
            directory: &self.directory,
            mount_programs: self.mount_programs,
            evaluator: &self.evaluator,
            candidate: &self.candidate,
            results_dir: &self.results_dir,
        };
        let evaluator = ["python".into(), inside(&self.evaluator), "--program_path".into()];
        let results_dir = ["--results_dir".into(), self.results_dir.clone().into()];
        let whole = evaluator.into_iter().chain([inside(&self.candidate)]).chain(results_dir);
        let command = if self.command.is_empty() { whole.collect() } else { self.command.clone() };
        let container = Container {
            attempt: "0123456789abcdef0123456789abcdef",
            launcher: "sortie 0.0.0, process 7 on login1",
            image: &self.image,
            mounts: &files.mounts(),
            directory: "/workspace".as_ref(),
            user: self.user.as_deref(),
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            pids: self.pids,
            network: self.network.as_deref(),
            environment: &self.environment,
            flags: &Flags::parse(&self.docker_flags).unwrap(),
            command: &command,
        };
        let (mut flags, command) = (container.flags()?, container.command()?);
        flags.extend(command);
        Ok(flags)
    }
}
