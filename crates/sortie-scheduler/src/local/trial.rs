//! Whether an evaluator can be started in a container here and write its results: what the first job on a machine finds
//! out, tried by the same script before there is a job.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use sortie_process::{Limits, Supervisor};
use sortie_results::{AttemptId, JobEnd, Outcome};
use sortie_script::Trial;

use super::Plan;
use crate::container;
use crate::job::Paths;

/// How long it may take: an archive may have to be loaded.
const PATIENCE: Duration = Duration::from_secs(1800);

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

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "left behind");
        }
    }
}

impl Plan {
    /// Does what a job does, as far as `trial` says. What fails is told as of a job.
    pub(crate) async fn try_container(
        &self,
        supervisor: &Supervisor,
        trial: Trial,
    ) -> Result<(), String> {
        let Some(containers) = &self.containers else { return Ok(()) };
        let attempt = AttemptId::generate();
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let dir = Directory::new(self, attempt).map_err(|error| text(&error))?;
        let paths = Paths::new(self.config.eval_program_path(), &dir.0);
        let planned = self.in_container(containers, &paths, &dir.0, attempt, trial);
        let planned = planned.map_err(|error| text(&error))?;
        let limits = Limits { time: Some(PATIENCE), ..self.limits() };
        let captured = supervisor.capture(&self.command(&planned, limits), &[]).await;
        let captured = captured.map_err(|error| text(&error))?;
        if captured.exit.stopped.is_some() {
            if let Some(command) = self.removal(attempt) {
                let _ = supervisor.capture(&command, &[]).await;
            }
            return Err(format!("it takes more than {} s", PATIENCE.as_secs()));
        }
        match JobEnd::load(&dir.0, attempt) {
            Ok(Some(record)) => match container::outcome(&record.end, &self.here.host) {
                Some(Outcome::Exited { code: 0 }) => Ok(()),
                Some(Outcome::SetupFailed { reason, .. }) => Err(reason),
                Some(outcome) => Err(text(&outcome)),
                None => Err("it was stopped".to_owned()),
            },
            Ok(None) => Err(String::from_utf8_lossy(&captured.stderr).trim().to_owned()),
            Err(error) => Err(text(&error)),
        }
    }
}
