//! One run of one command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use sortie_process::{
    CaptureError, Command, Environment, Limits, RunError, Status, Stopped, Supervisor,
};

use crate::{Error, environment};

/// The most a command may print, in bytes: squeue's lines for some hundred thousand jobs.
const OUTPUT: u64 = 64 << 20;
/// How long a command that hangs has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(1);
/// How much of a command's words an error carries, in bytes.
const WORDS: usize = 2000;

/// How commands are run.
pub(crate) struct Caller {
    pub(crate) supervisor: Supervisor,
    pub(crate) cwd: PathBuf,
    pub(crate) time_limit: Duration,
}

/// What to run.
pub(crate) struct Call<'a> {
    pub(crate) program: &'static str,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: &'a Environment,
    pub(crate) input: &'a [u8],
}

impl Caller {
    /// Runs a command; what it printed, if it exited with zero.
    pub(crate) async fn run(&self, call: Call<'_>) -> Result<String, Error> {
        let Call { program, args, env, input } = call;
        let limits = Limits {
            time: Some(self.time_limit),
            grace: GRACE,
            log_bytes: OUTPUT,
            ..Limits::default()
        };
        let command =
            Command::new(program, env.clone(), self.cwd.clone()).args(args).limits(limits);
        let captured = match self.supervisor.capture(&command, input).await {
            Ok(captured) => captured,
            Err(error) => return Err(not_run(program, env, error)),
        };
        // Some errors are on standard output, `scontrol show job` of an unknown element's, say.
        let silent = captured.stderr.trim_ascii().is_empty();
        let words = excerpt(if silent { &captured.stdout } else { &captured.stderr });
        let status = match (captured.exit.stopped, captured.exit.status) {
            (Some(Stopped::TimeLimit), _) => {
                return Err(Error::TimedOut { command: program, limit: self.time_limit, words });
            }
            (Some(stopped), _) => {
                let problem = match stopped {
                    Stopped::LogLimit => "it printed more than 64 MiB",
                    _ => "it was stopped",
                };
                return Err(Error::NotRun { command: program, problem: problem.into() });
            }
            (None, Status::Exited(0)) => {
                return Ok(String::from_utf8_lossy(&captured.stdout).into_owned());
            }
            (None, Status::Exited(code)) => format!("exit code {code}"),
            (None, Status::Signaled(signal)) => {
                let problem = format!("signal {signal} ended it");
                return Err(Error::NotRun { command: program, problem });
            }
        };
        Err(Error::Failed { command: program, status, words })
    }
}

impl Error {
    pub(crate) fn not_understood(
        command: &'static str,
        wanted: &'static str,
        output: &str,
    ) -> Self {
        Self::NotUnderstood { command, wanted, output: excerpt(output.as_bytes()) }
    }
}

fn not_run(program: &'static str, env: &Environment, error: CaptureError) -> Error {
    match error {
        CaptureError::Run(RunError::NotStarted { doing, cause, .. })
            if doing == "execute" && cause.kind() == ErrorKind::NotFound =>
        {
            Error::Missing { command: program, path: environment::path(env) }
        }
        error => Error::NotRun { command: program, problem: error.to_string() },
    }
}

/// The last part of what a command said.
fn excerpt(words: &[u8]) -> String {
    let from = words.len().saturating_sub(WORDS);
    String::from_utf8_lossy(&words[from..]).trim().to_owned()
}
