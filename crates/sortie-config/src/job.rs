//! The settings of a job of any kind.

use serde::Serialize;

use crate::{
    JobType, LocalDockerJobConfig, LocalJobConfig, SlurmCondaJobConfig, SlurmDockerJobConfig,
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
