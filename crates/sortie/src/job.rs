//! The arguments that name a job.

use std::env;
use std::path::{Path, PathBuf};

use sortie_config::{ConfigError, Effective, JobConfig, Layers, LocalJobConfig};
use sortie_results::Consent;

use crate::attend::Errand;
use crate::detached::Launcher;
use crate::exit_status;
use crate::failure::Failure;
use crate::view::is_sweep;

/// The variable that names the file of settings, where no flag does.
const FILE_VARIABLE: &str = "SORTIE_CONFIG";

/// Where the settings are.
#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    /// The settings, in YAML; relative paths in them start from the working directory. The variable
    /// `SORTIE_CONFIG` names them where this does not
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one setting, over those of the file and of variables such as `SORTIE_TIME`; may be given more than once.
    /// Names have dots for what is in a mapping: `--set time=00:05:00 --set "environment.deny=['*_KEY']"`
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// A job: settings, candidate and results dir. Paths may hold any bytes.
#[derive(clap::Args)]
pub(crate) struct JobArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    warm: WarmArgs,
    #[command(flatten)]
    take_over: TakeOverArgs,
    /// The program to evaluate
    pub(crate) candidate: PathBuf,
    /// Where logs and results go; made where it is not there. What an earlier run left in it is kept
    /// in `previous/`
    pub(crate) results_dir: PathBuf,
}

/// Whether what others have is taken from them.
#[derive(clap::Args)]
pub(crate) struct TakeOverArgs {
    /// Take the job from a launcher of which cannot be told from here whether it is still there, as on another machine
    /// where the file system has no locks. Say so only if it is gone
    #[arg(long)]
    take_over: bool,
}

impl TakeOverArgs {
    pub(crate) fn consent(&self) -> Consent {
        if self.take_over { Consent::TakeOver } else { Consent::No }
    }
}

/// Whether evaluators are kept warm.
#[derive(clap::Args)]
pub(crate) struct WarmArgs {
    /// Fork the evaluator from a Python that has imported what it imports; `--warm=false` starts it cold whatever the
    /// settings say. A single job gains nothing: this shows beforehand whether many would
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    warm: Option<bool>,
}

impl WarmArgs {
    /// The settings, changed as the flag says. How evaluators are kept warm is as in the file, if they are there.
    pub(crate) fn apply(&self, config: JobConfig) -> Result<JobConfig, Failure> {
        match (self.warm, config) {
            (None, config) => Ok(config),
            (Some(true), JobConfig::Local(mut local)) => {
                local.warm.get_or_insert_default();
                Ok(local.into())
            }
            (Some(true), other) => Err(Failure::NotWarm(other.job_type())),
            (Some(false), JobConfig::Local(local)) => {
                Ok(LocalJobConfig { warm: None, ..local }.into())
            }
            (Some(false), other) => Ok(other),
        }
    }
}

impl ConfigArgs {
    pub(crate) fn of(file: &Path) -> Self {
        Self { config: Some(file.to_owned()), set: Vec::new() }
    }

    pub(crate) fn load(&self) -> Result<JobConfig, ConfigError> {
        self.effective().map(|effective| effective.config)
    }

    /// The settings that hold, after telling what the user should know about how they were read.
    pub(crate) fn effective(&self) -> Result<Effective, ConfigError> {
        let effective = self.layers()?.effective()?;
        for notice in &effective.notices {
            tracing::warn!("settings: {notice}");
        }
        Ok(effective)
    }

    /// The settings and what is set beside them.
    fn layers(&self) -> Result<Layers, ConfigError> {
        let variable = || env::var_os(FILE_VARIABLE).filter(|value| !value.is_empty());
        let file = self.config.clone().or_else(|| variable().map(Into::into));
        let mut layers = file.map_or_else(|| Ok(Layers::default()), |file| Layers::file(&file))?;
        let unknown = layers.variables(env::vars_os())?;
        if !unknown.is_empty() {
            tracing::warn!("ignored, as these are not settings of sortie: {}", unknown.join(", "));
        }
        for assignment in &self.set {
            layers.set("--set", assignment)?;
        }
        Ok(layers)
    }
}

impl JobArgs {
    /// The job, to be brought to its end.
    ///
    /// # Errors
    ///
    /// Its settings are wrong, or its results dir is the directory of a sweep, which nobody would see any more.
    pub(crate) fn errand<'a>(
        &'a self,
        command: &'static str,
        verbose: bool,
        launcher: Option<&'a Launcher>,
    ) -> Result<Errand<'a>, Failure> {
        if is_sweep(&self.results_dir) {
            return Err(Failure::Job {
                dir: self.results_dir.clone(),
                problem: "it is the directory of a sweep, and no results dir".to_owned(),
                hint: "name another for the job".to_owned(),
                status: exit_status::SETUP,
            });
        }
        Ok(Errand {
            config: launcher.map_or_else(|| self.load(), Launcher::settings)?,
            name: &self.candidate,
            results_dir: &self.results_dir,
            candidate: Some(&self.candidate),
            command,
            verbose,
            launcher,
            prints: true,
            consent: self.take_over.consent(),
        })
    }

    pub(crate) fn load(&self) -> Result<JobConfig, Failure> {
        self.warm.apply(self.config.load()?)
    }
}
