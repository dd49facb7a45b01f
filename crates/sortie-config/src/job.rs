//! The settings of a job of any kind.

use std::{path::Path, time::Duration};

use indexmap::IndexMap;
use serde::Serialize;

use crate::{
    Activation, ContainerSpec, EnvironmentPolicy, EvaluatorKind, JobType, Limits,
    LocalDockerJobConfig, LocalJobConfig, PyValue, Share, SlurmCondaJobConfig,
    SlurmDockerJobConfig, SlurmSettings, activation::set_path,
};

/// The settings of one of the kinds of job.
///
/// Serialises as one mapping, `job_type` first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "job_type", rename_all = "snake_case")]
pub enum JobConfig {
    /// On this machine.
    Local(LocalJobConfig),
    /// On this machine, in a container.
    LocalDocker(LocalDockerJobConfig),
    /// Through Slurm, in a Conda or sourced environment.
    SlurmConda(SlurmCondaJobConfig),
    /// Through Slurm, in a container.
    SlurmDocker(SlurmDockerJobConfig),
}

/// The same field of whichever kind it is.
macro_rules! common {
    ($config:expr, $field:ident) => {
        match $config {
            JobConfig::Local(config) => &config.$field,
            JobConfig::LocalDocker(config) => &config.$field,
            JobConfig::SlurmConda(config) => &config.$field,
            JobConfig::SlurmDocker(config) => &config.$field,
        }
    };
}

impl JobConfig {
    /// The kind of job.
    pub fn job_type(&self) -> JobType {
        match self {
            Self::Local(_) => JobType::Local,
            Self::LocalDocker(_) => JobType::LocalDocker,
            Self::SlurmConda(_) => JobType::SlurmConda,
            Self::SlurmDocker(_) => JobType::SlurmDocker,
        }
    }

    /// The evaluator, as the user gave it.
    pub fn eval_program_path(&self) -> &Path {
        common!(self, eval_program_path)
    }

    /// What the evaluator is.
    pub fn evaluator(&self) -> EvaluatorKind {
        *common!(self, evaluator)
    }

    /// The Python that is set to run the evaluator; blank is not set.
    pub(crate) fn python_executable(&self) -> Option<&Path> {
        set_path(common!(self, python_executable).as_ref())
    }

    /// The program that runs an evaluator in Python on a node or in a container: a path, or a name that is looked up on `PATH` there.
    /// Where an environment is activated it is that environment's `python`.
    pub fn python(&self) -> &Path {
        let activates =
            matches!(self, Self::SlurmConda(config) if config.activation() != Activation::None);
        let set = self.python_executable().filter(|_| !activates);
        set.unwrap_or(Path::new("python"))
    }

    /// The evaluator's further arguments, in order.
    pub fn extra_cmd_args(&self) -> &IndexMap<String, PyValue> {
        common!(self, extra_cmd_args)
    }

    /// Whether the evaluator is told to be verbose.
    pub fn eval_verbose(&self) -> bool {
        *common!(self, eval_verbose)
    }

    /// Threads numeric libraries may use, as the user gave it.
    pub fn numeric_threads_per_job(&self) -> Option<i64> {
        *common!(self, numeric_threads_per_job)
    }

    /// What of the launcher's environment reaches the job.
    pub fn environment(&self) -> &EnvironmentPolicy {
        common!(self, environment)
    }

    /// Bounds on stopping, logs and results.
    pub fn limits(&self) -> &Limits {
        common!(self, limits)
    }

    /// What is asked of Slurm; `None` for a local job.
    pub fn slurm(&self) -> Option<SlurmSettings<'_>> {
        match self {
            Self::Local(_) | Self::LocalDocker(_) => None,
            Self::SlurmConda(config) => Some(config.slurm()),
            Self::SlurmDocker(config) => Some(config.slurm()),
        }
    }

    /// The container that the job runs in; `None` for a job without one.
    pub fn container(&self) -> Option<ContainerSpec> {
        match self {
            Self::Local(_) | Self::SlurmConda(_) => None,
            Self::LocalDocker(config) => Some(config.container()),
            Self::SlurmDocker(config) => Some(config.container()),
        }
    }

    /// What each job has of this machine to itself; nothing for a job of Slurm, which deals that out by itself.
    pub fn share(&self) -> Share {
        match self {
            Self::Local(config) => Share { gpus: config.gpus, cpus: config.cpus },
            Self::LocalDocker(config) => Share { gpus: config.gpus, cpus: config.cpus },
            Self::SlurmConda(_) | Self::SlurmDocker(_) => Share::default(),
        }
    }

    /// How long the job may run; `None` means without a limit.
    pub fn time_limit(&self) -> Option<Duration> {
        let time = match self {
            Self::Local(config) => config.time?,
            Self::LocalDocker(config) => config.time?,
            Self::SlurmConda(config) => config.time,
            Self::SlurmDocker(config) => config.time,
        };
        time.as_duration()
    }
}

impl From<LocalJobConfig> for JobConfig {
    fn from(config: LocalJobConfig) -> Self {
        Self::Local(config)
    }
}

impl From<LocalDockerJobConfig> for JobConfig {
    fn from(config: LocalDockerJobConfig) -> Self {
        Self::LocalDocker(config)
    }
}

impl From<SlurmCondaJobConfig> for JobConfig {
    fn from(config: SlurmCondaJobConfig) -> Self {
        Self::SlurmConda(config)
    }
}

impl From<SlurmDockerJobConfig> for JobConfig {
    fn from(config: SlurmDockerJobConfig) -> Self {
        Self::SlurmDocker(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_brings_its_python() {
        let node = |python: Option<&str>, script: &str| {
            let config = SlurmCondaJobConfig {
                python_executable: python.map(Into::into),
                activate_script: Some(script.into()),
                ..SlurmCondaJobConfig::default()
            };
            JobConfig::from(config).python().display().to_string()
        };
        assert_eq!(node(None, ""), "python");
        assert_eq!(node(Some(" "), ""), "python");
        assert_eq!(node(Some("python3"), ""), "python3");
        assert_eq!(node(Some("/opt/bin/python3"), "env.sh"), "python");
        let python_executable = Some("python3".into());
        let inside = LocalDockerJobConfig { python_executable, ..LocalDockerJobConfig::default() };
        assert_eq!(JobConfig::from(inside).python(), Path::new("python3"));
    }
}
