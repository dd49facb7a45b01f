//! The arguments that name a job.

use std::path::PathBuf;

use sortie_config::{ConfigError, JobConfig};

use crate::attend::Errand;
use crate::keeper::Launcher;

/// Where the settings are.
#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    /// The settings, in YAML; relative paths in them start from the working directory
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
}

/// A job: settings, candidate and results dir. Paths may hold any bytes.
#[derive(clap::Args)]
pub(crate) struct JobArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The program to evaluate
    pub(crate) candidate: PathBuf,
    /// Where logs and results go; made where it is not there. What an earlier run left in it is kept
    /// in `previous/`
    pub(crate) results_dir: PathBuf,
}

impl ConfigArgs {
    pub(crate) fn load(&self) -> Result<JobConfig, ConfigError> {
        JobConfig::load(&self.config)
    }
}

impl JobArgs {
    /// The job, to be brought to its end.
    pub(crate) fn errand<'a>(
        &'a self,
        command: &'static str,
        verbose: bool,
        launcher: Option<&'a Launcher>,
    ) -> Result<Errand<'a>, ConfigError> {
        Ok(Errand {
            config: self.load()?,
            name: &self.candidate,
            results_dir: &self.results_dir,
            candidate: Some(&self.candidate),
            command,
            verbose,
            launcher,
            prints: true,
        })
    }

    pub(crate) fn load(&self) -> Result<JobConfig, ConfigError> {
        self.config.load()
    }
}
