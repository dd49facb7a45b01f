//! What keeps the tool from doing what it was asked to.

use std::io;
use std::path::{Path, PathBuf};

use sortie_config::{ConfigError, JobType, WriteError};
use sortie_results::{InUse, RecordError, TAKE_OVER};
use sortie_scheduler::{HandleError, SchedulerError};
use sortie_script::NulByte;
use sortie_sweep::{SourceError, SweepError};
use thiserror::Error;

use crate::report::ReportError;
use crate::{exit_status, output, sweep};

/// A hint with the directory in it, as a shell takes it.
pub(crate) fn with_dir(hint: &str, dir: &Path) -> String {
    let dir = sortie_script::quote(dir.as_os_str()).unwrap_or_else(|_| "DIR".to_owned());
    let mut words = hint.split("DIR");
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, next| text + &dir + next)
}

/// Why there is nothing to print.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("RUST_LOG is `{value}`: {problem}")]
    LogFilter { value: String, problem: String },
    #[error(
        "`--warm` is for jobs of type `local`; these are of type `{0}`, which always start cold"
    )]
    NotWarm(JobType),
    #[error("`--submit` is for jobs of Slurm; these are of type `{0}`, which run on no node")]
    NoNodes(JobType),
    #[error("the command would contain {0}")]
    Nul(NulByte),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    #[error("cannot wait for events: {0}")]
    Runtime(io::Error),
    #[error("cannot detach from the terminal: {0}")]
    Detach(io::Error),
    #[error("{message}")]
    Refused { message: String, hint: Option<String>, status: u8 },
    #[error("process {pid}, which should run the job, ended before it accepted it")]
    OwnerEnded { pid: u32 },
    #[error(transparent)]
    Handle(#[from] HandleError),
    #[error("{}: {problem}", .dir.display())]
    Job { dir: PathBuf, problem: String, hint: String, status: u8 },
    #[error(transparent)]
    Yaml(WriteError),
    #[error("{} is there already, and was not overwritten", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {cause}", .path.display())]
    Write { path: PathBuf, cause: io::Error },
    /// One that has to do with a directory, for the hint.
    #[error("{failure}")]
    In { dir: PathBuf, failure: Box<Failure> },
    #[error("interrupted before the results were written")]
    Interrupted { signal: u8 },
    #[error("interrupted before a node has answered; its job was cancelled")]
    NotAsked { signal: u8 },
    #[error("interrupted a third time: the job is being killed, without a report")]
    Abandoned { signal: u8 },
}

impl Failure {
    /// Says on standard error what is wrong, and what to do.
    pub(crate) fn report(&self) {
        output::error(&self.to_string(), self.hint().as_deref());
    }

    /// The same, in a directory that the user named.
    pub(crate) fn in_dir(self, dir: &Path) -> Self {
        match self {
            already @ Self::In { .. } => already,
            failure => Self::In { dir: dir.to_owned(), failure: Box::new(failure) },
        }
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::In { failure, .. } => failure.status(),
            Self::Scheduler(SchedulerError::Helper(_))
            | Self::Sweep(
                SweepError::Io { .. } | SweepError::NoThread { .. } | SweepError::Broken { .. },
            )
            | Self::Input(_)
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::Detach(_)
            | Self::OwnerEnded { .. } => exit_status::INFRASTRUCTURE,
            Self::Refused { status, .. } | Self::Job { status, .. } => *status,
            Self::Interrupted { signal }
            | Self::Abandoned { signal }
            | Self::NotAsked { signal } => exit_status::of_signal(*signal),
            Self::Report(error) => error.status(),
            Self::Config(_)
            | Self::Scheduler(_)
            | Self::Sweep(_)
            | Self::Source(_)
            | Self::LogFilter { .. }
            | Self::NotWarm(_)
            | Self::NoNodes(_)
            | Self::Nul(_)
            | Self::Handle(_)
            | Self::Yaml(_)
            | Self::Exists(_)
            | Self::Write { .. } => exit_status::SETUP,
        }
    }

    /// What to do, with the directory that it is about.
    pub(crate) fn hint(&self) -> Option<String> {
        let dir = match self {
            Self::In { dir, failure } => return failure.template().map(|hint| with_dir(hint, dir)),
            Self::Job { dir, .. }
            | Self::Handle(
                HandleError::InUse(InUse { path: dir, .. }) | HandleError::NotOver { dir },
            )
            | Self::Scheduler(SchedulerError::Ended { results_dir: dir, .. })
            | Self::Sweep(
                SweepError::Exists { dir }
                | SweepError::NoSweep { dir }
                | SweepError::InUse(InUse { path: dir, .. }),
            ) => dir,
            _ => return self.template().map(str::to_owned),
        };
        self.template().map(|hint| with_dir(hint, dir))
    }

    /// The hint, in which `DIR` stands for the directory.
    fn template(&self) -> Option<&str> {
        match self {
            Self::In { failure, .. } => failure.template(),
            Self::Refused { hint, .. } => hint.as_deref(),
            Self::Job { hint, .. } => Some(hint),
            Self::OwnerEnded { .. } => Some("`sortie run` shows what it does"),
            Self::Handle(error) => handle_hint(error),
            Self::Config(ConfigError::Read { .. }) => {
                Some("name a readable file of settings with --config")
            }
            Self::Config(ConfigError::Invalid { .. }) => Some("correct the settings at that place"),
            Self::Config(ConfigError::Set { .. }) => {
                Some("correct it there; `sortie init` shows all settings")
            }
            Self::Config(ConfigError::Nothing) => {
                Some("name a file with --config; `sortie init` writes one")
            }
            Self::Source(SourceError::Line { .. }) => Some(
                r#"a line is an object such as {"candidate": "a.py", "id": "a", "args": {"seed": 1}}, of which only `candidate` is needed"#,
            ),
            Self::Source(SourceError::Id { .. }) => Some("choose another `id`, or leave it out"),
            Self::Source(_) => {
                Some("name files, directories or quoted patterns; see `sortie sweep --help`")
            }
            Self::Write { .. } => Some("name another place, or fix what is wrong there"),
            Self::Exists(_) => Some("name another with --output, or move it away"),
            Self::Scheduler(SchedulerError::NotReady(_)) => Some(output::SEE_CHECK),
            Self::NoNodes(_) => Some("leave `--submit` out, or name settings of Slurm jobs"),
            Self::NotWarm(_) => Some("leave `--warm` out, or name settings of local jobs"),
            Self::LogFilter { .. } => Some("try `RUST_LOG=debug`, or `--verbose` without RUST_LOG"),
            Self::Scheduler(SchedulerError::NotAttachable(_)) => {
                Some("name settings of Slurm; `sortie status DIR` shows where the job is")
            }
            Self::Scheduler(SchedulerError::Ended { .. }) => {
                Some("`sortie results DIR` prints its results")
            }
            Self::Scheduler(SchedulerError::WorkingDirectory(_)) => {
                Some("start in a directory that is there")
            }
            Self::Sweep(error) => sweep::hint(error),
            Self::Report(error) => error.hint(),
            _ => None,
        }
    }
}

/// What to do about a job that does not give what it was asked for.
fn handle_hint(error: &HandleError) -> Option<&'static str> {
    Some(match error {
        HandleError::Record(RecordError::Dir { .. }) => {
            "name a results dir, or the directory of a sweep; `sortie ls` lists them"
        }
        HandleError::NoJob { .. } => "name the results dir that `sortie run` or `submit` was given",
        HandleError::NotOver { .. } => "`sortie wait DIR` waits for it",
        HandleError::Orphaned { .. } => "name its settings with --config to take it up again",
        HandleError::InUse(in_use) => in_use_hint(in_use),
        HandleError::Elsewhere(_) => "cancel it on that machine",
        HandleError::OfSweep { .. } => "cancel the sweep",
        HandleError::OtherProgram(_) => "end that program, and the job ends with it",
        HandleError::NotAsked { .. } => "cancel it as the user who started it",
        HandleError::NotTaken { .. } => "see `sortie status`",
        HandleError::Log { .. } => "the job has put something else in its place",
        _ => return None,
    })
}

/// What to do about something that another process has.
pub(crate) fn in_use_hint(in_use: &InUse) -> &'static str {
    if in_use.certain {
        "wait for it with `sortie wait DIR`, or end it with `sortie cancel DIR`"
    } else {
        TAKE_OVER
    }
}
