//! Local jobs in containers: the command is a bash, with the script that Slurm is given elsewhere. It
//! brings the image, runs the container, stops it when told to, and records its end.
//!
//! A container of Docker or Podman is a child of its engine, not of the command, so a command that is killed leaves it.
//! The script is therefore told to end and given the time to, even when the launcher is gone; after one that was
//! stopped, the container is removed once more from here. What is left when all of these are killed at once is
//! swept up when the next container is started on this machine.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use sortie_config::{Activation, EvaluatorKind};
use sortie_process::{Command, Environment, Exit, Limits};
use sortie_results::{AttemptId, Outcome, Place};
use sortie_script::{Attempt, BatchScript, Container, Environment as InScript, Jobs, Trial};

use super::plan::{NotReady, Plan, Planned};
use crate::container::{self, Containers};
use crate::engine;
use crate::job::Paths;

/// How long the script may take, beyond the evaluator's grace, to remove the container.
const CLOSING: Duration = Duration::from_secs(10);
/// How long the engine may take to remove a container of which nothing runs any more.
const REMOVAL: Duration = Duration::from_secs(20);

impl Plan {
    /// The script that runs `command` in a container as the evaluator is run, or does less, as `trial` says.
    pub(super) fn in_container(
        &self,
        containers: &Containers,
        paths: &Paths,
        state_dir: &Path,
        attempt: AttemptId,
        (command, trial): (Vec<OsString>, Trial),
    ) -> Result<Planned, NotReady> {
        let mounts = Containers::mounts(&self.spec, &self.here, paths);
        let probe = container::probe(&self.spec, &command, paths);
        let container = Container { trial, ..containers.of(attempt, &mounts, probe) };
        let limits = &self.spec.limits;
        let script = BatchScript {
            version: env!("CARGO_PKG_VERSION"),
            name: &attempt.name(),
            jobs: Jobs::One(&Attempt {
                id: attempt,
                candidate: &paths.candidate,
                results_dir: &self.here.cwd.join(&paths.results_dir),
                state_dir,
                command: &command,
                container: Some(&container),
            }),
            options: &[],
            early_term_seconds: 0,
            directory: &self.here.cwd,
            environment: InScript::default(),
            modules: &[],
            activation: &Activation::None,
            by_python: self.spec.evaluator_kind == EvaluatorKind::Python,
            grace: limits.grace,
            max_log_bytes: limits.max_log_bytes,
        };
        // As an argument, as it need not be a file.
        let args = ["--noprofile", "--norc", "-c"].map(OsString::from).into_iter();
        Ok(Planned {
            program: "bash".into(),
            args: args.chain([script.render_here()?.into()]).collect(),
            env: self.shared_env.clone(),
            cpus: Vec::new(),
            place: 0,
            activates: None,
            inside: Some(command),
            evaluator_sha256: None,
        })
    }

    /// How long a command may take to end beyond the evaluator's grace.
    pub(super) fn closing(&self) -> Duration {
        if self.containers.is_some() { CLOSING } else { Duration::ZERO }
    }

    /// The command that removes an attempt's container, if one could outlive its script.
    pub(super) fn removal(&self, attempt: AttemptId) -> Option<Command> {
        let kind = self.spec.container()?.kind;
        self.engine_command(engine::of(kind).removal(attempt)?, REMOVAL)
    }

    /// Whether a script that is killed leaves a container.
    pub(super) fn outlives_its_script(&self) -> bool {
        let container = self.spec.container();
        container.is_some_and(|container| engine::of(container.kind).outlives_its_script())
    }

    /// A command of the engine, if the jobs run in containers.
    pub(crate) fn engine_command(
        &self,
        args: impl IntoIterator<Item = impl Into<OsString>>,
        patience: Duration,
    ) -> Option<Command> {
        let engine = &self.spec.container()?.engine;
        let command = Command::new(engine, Environment::clone(&self.shared_env), &self.here.cwd);
        let limits = Limits { time: Some(patience), ..Limits::default() };
        Some(command.args(args).limits(limits))
    }

    /// The outcome of a script that was not stopped, by the record it left.
    pub(super) fn outcome_inside(&self, place: &Place, attempt: AttemptId, exit: &Exit) -> Outcome {
        let record = match place.job_end(attempt) {
            Ok(Some(record)) => record,
            Ok(None) => {
                let reason = format!("the container's script left no record ({:?})", exit.status);
                return Outcome::Lost { reason };
            }
            Err(error) => return Outcome::Lost { reason: error.to_string() },
        };
        let stopped =
            || Outcome::Lost { reason: "something else stopped the container".to_owned() };
        container::outcome(&record.end, &self.here.host).unwrap_or_else(stopped)
    }
}
