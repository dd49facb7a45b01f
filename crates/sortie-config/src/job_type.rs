//! The kinds of job.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// Where and how a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobType {
    /// On this machine.
    Local,
    /// On this machine, in a container.
    LocalDocker,
    /// Through Slurm, in a Conda or sourced environment.
    SlurmConda,
    /// Through Slurm, in a container.
    SlurmDocker,
}

/// A name that is no job type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown job type `{0}`, expected `local`, `local_docker`, `slurm_conda`, `slurm_env` (the same) or \
     `slurm_docker`"
)]
pub struct UnknownJobType(pub String);

impl JobType {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Local, Self::LocalDocker, Self::SlurmConda, Self::SlurmDocker];

    /// All names that settings may give it.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Local => &["local"],
            Self::LocalDocker => &["local_docker"],
            Self::SlurmConda => &["slurm_conda", "slurm_env"],
            Self::SlurmDocker => &["slurm_docker"],
        }
    }

    /// The name used in settings: `local`, `local_docker`, `slurm_conda` or `slurm_docker`.
    pub fn as_str(self) -> &'static str {
        self.names()[0]
    }
}

impl FromStr for JobType {
    type Err = UnknownJobType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|job_type| job_type.names().contains(&text));
        named.ok_or_else(|| UnknownJobType(text.to_owned()))
    }
}

impl fmt::Display for JobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for JobType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for job_type in JobType::ALL {
            assert_eq!(job_type.to_string().parse(), Ok(job_type));
        }
        assert_eq!("slurm_env".parse(), Ok(JobType::SlurmConda));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "Local".parse::<JobType>().unwrap_err().to_string();
        for name in ["`Local`", "`local`", "`slurm_conda`", "`slurm_env`", "`slurm_docker`"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
