//! The launcher's surroundings, as they are when a scheduler is made.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::SchedulerError;

/// What of the launcher its jobs depend on.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    /// What relative paths are relative to, and where jobs start.
    pub(crate) cwd: PathBuf,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) home: Option<PathBuf>,
    /// This machine's name.
    pub(crate) host: String,
}

impl Here {
    pub(crate) fn now() -> Result<Self, SchedulerError> {
        Ok(Self {
            cwd: env::current_dir().map_err(SchedulerError::WorkingDirectory)?,
            env: env::vars_os().collect(),
            home: env::home_dir(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        })
    }
}
