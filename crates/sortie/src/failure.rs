//! What keeps the tool from doing what it was asked to.

use std::io;

use sortie_config::ConfigError;
use sortie_scheduler::SchedulerError;
use sortie_script::NulByte;
use thiserror::Error;

use crate::report::ReportError;
use crate::{exit_status, output};

/// Why there is nothing to print.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("RUST_LOG is `{value}`: {problem}")]
    LogFilter { value: String, problem: String },
    #[error("what would run holds {0}")]
    Nul(NulByte),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    #[error("cannot wait for events: {0}")]
    Runtime(io::Error),
    #[error("interrupted before the results were written")]
    Interrupted { signal: u8 },
    #[error("interrupted a third time: what is left of the job is being killed, without a report")]
    Abandoned { signal: u8 },
}

impl Failure {
    /// Says on standard error what is wrong, and what to do.
    pub(crate) fn report(&self) {
        output::error(&self.to_string(), self.hint());
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Scheduler(SchedulerError::Helper(_)) | Self::Output(_) | Self::Runtime(_) => {
                exit_status::INFRASTRUCTURE
            }
            Self::Interrupted { signal } | Self::Abandoned { signal } => {
                exit_status::of_signal(*signal)
            }
            Self::Report(error) => error.status(),
            Self::Config(_) | Self::Scheduler(_) | Self::LogFilter { .. } | Self::Nul(_) => {
                exit_status::SETUP
            }
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Config(ConfigError::Read { .. }) => {
                Some("name a readable file of settings with --config")
            }
            Self::Config(ConfigError::Invalid { .. }) => Some("mend the settings at that place"),
            Self::Scheduler(SchedulerError::NotReady(_)) => Some(output::SEE_CHECK),
            Self::LogFilter { .. } => Some("try `RUST_LOG=debug`, or `--verbose` without RUST_LOG"),
            Self::Scheduler(SchedulerError::WorkingDirectory(_)) => {
                Some("start in a directory that is there")
            }
            Self::Report(error) => error.hint(),
            _ => None,
        }
    }
}
