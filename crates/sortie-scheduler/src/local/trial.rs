//! Whether an evaluator can be started in a container here and write its results: what the first job on a machine finds
//! out, tried by the same script before there is a job. And other commands run in the evaluator's place.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use sortie_model::names;
use sortie_process::{Limits, Status, Supervisor};
use sortie_results::{AttemptId, Outcome, Place};
use sortie_script::Trial;

use super::Plan;
use crate::container;
use crate::job::Paths;

/// How long it may take: an archive may have to be loaded.
const PATIENCE: Duration = Duration::from_secs(1800);
/// The most that is read of a log, in bytes.
const LOG: u64 = 1 << 20;

/// A directory in the place of a results dir, removed at last.
struct Directory(PathBuf);

impl Directory {
    /// In the working directory, as results dirs most often are, or else where temporary files are.
    fn new(plan: &Plan, attempt: AttemptId) -> std::io::Result<Self> {
        let name = format!(".sortie-check-{attempt}");
        let place = plan.here.cwd.join(&name);
        fs::create_dir(&place).map(|()| Self(place)).or_else(|_| {
            let place = std::env::temp_dir().join(&name);
            fs::create_dir(&place).map(|()| Self(place))
        })
    }
}

impl Directory {
    /// What was logged, which is little.
    fn log(&self, name: &str) -> Vec<u8> {
        let mut text = Vec::new();
        let log = File::open(self.0.join(name));
        let read = log.and_then(|log| log.take(LOG).read_to_end(&mut text));
        read.map_or_else(|_| Vec::new(), |_| text)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "left behind");
        }
    }
}

/// What came of a command that was run in a container.
pub(crate) struct Inside {
    /// How it ended; `None` if that took too long.
    pub(crate) status: Option<Status>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Plan {
    /// Does what a job does, as far as `trial` says: what its script has said. What fails is told as of a job.
    pub(crate) async fn try_container(
        &self,
        supervisor: &Supervisor,
        trial: Trial,
    ) -> Result<Vec<u8>, String> {
        let command = |paths: &Paths| paths.command(&self.spec);
        let tried = self.try_script(supervisor, trial, PATIENCE, command).await?;
        match tried.status {
            Some(Status::Exited(0)) => Ok(tried.stdout),
            Some(Status::Exited(code)) => Err(Outcome::Exited { code }.to_string()),
            Some(Status::Signaled(signal)) => Err(Outcome::signaled(signal).to_string()),
            None => Err(format!("it takes more than {} s", PATIENCE.as_secs())),
        }
    }

    /// Runs another command just as the evaluator would be run in its container. `make` makes it, of the paths of a job that
    /// has the evaluator for a candidate. What keeps the container from being started is an error, told as of a job.
    pub(crate) async fn try_inside(
        &self,
        supervisor: &Supervisor,
        patience: Duration,
        make: impl FnOnce(&Paths) -> Vec<OsString>,
    ) -> Result<Inside, String> {
        self.try_script(supervisor, Trial::No, patience, make).await
    }

    async fn try_script(
        &self,
        supervisor: &Supervisor,
        trial: Trial,
        patience: Duration,
        make: impl FnOnce(&Paths) -> Vec<OsString>,
    ) -> Result<Inside, String> {
        let nothing = |status| Inside { status, stdout: Vec::new(), stderr: Vec::new() };
        let Some(containers) = &self.containers else {
            return Ok(nothing(Some(Status::Exited(0))));
        };
        let attempt = AttemptId::generate();
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let dir = Directory::new(self, attempt).map_err(|error| text(&error))?;
        let paths = Paths::new(&self.spec.evaluator, &dir.0);
        let command = (make(&paths), trial);
        let planned = self.in_container(containers, &paths, &dir.0, attempt, command);
        let mut planned = planned.map_err(|error| text(&error))?;
        if let Some(devices) = &self.devices {
            devices.give_first(&mut planned);
        }
        let limits = Limits { time: Some(patience), ..self.limits() };
        let captured = supervisor.capture(&self.command(&planned, limits), &[]).await;
        let captured = captured.map_err(|error| text(&error))?;
        if captured.exit.stopped.is_some() {
            if let Some(command) = self.removal(attempt) {
                let _ = supervisor.capture(&command, &[]).await;
            }
            return Ok(Inside { stdout: dir.log(names::STDOUT), ..nothing(None) });
        }
        let status = match Place::of(&dir.0).job_end(attempt) {
            Ok(Some(record)) => match container::outcome(&record.end, &self.here.host) {
                Some(Outcome::Exited { code }) => Status::Exited(code),
                Some(Outcome::Signaled { signal, .. }) => Status::Signaled(signal),
                Some(Outcome::SetupFailed { reason, .. }) => return Err(reason),
                Some(outcome) => return Err(text(&outcome)),
                None => return Err("it was stopped".to_owned()),
            },
            Ok(None) => return Err(String::from_utf8_lossy(&captured.stderr).trim().to_owned()),
            Err(error) => return Err(text(&error)),
        };
        let (stdout, stderr) = (dir.log(names::STDOUT), dir.log(names::STDERR));
        Ok(Inside { status: Some(status), stdout, stderr })
    }
}
