//! What only a node can tell, asked by one short job.
//!
//! It is a job like any other, with the same settings, run by a scheduler of its own: what becomes of it becomes of others.
//! But its evaluator is a probe, and the evaluator is its candidate. All that it leaves is in a directory of its own, which goes
//! with it.

mod probe;

use std::path::Path;

use sortie_config::{EvaluatorKind, JobConfig, JobSpec};
use sortie_model::names;
use sortie_process::Status;
use sortie_results::{Outcome, Record, Results, Seconds};

use super::{Finding, imports, last_line};
use crate::local::Inside;
use crate::{Events, JobId, JobScheduler, SchedulerError, SchedulerOptions};
use probe::{LONGEST, OwnDir, with_probe};

const SUBJECT: &str = "node";

/// What keeps any job from coming to a node.
const NEEDED: [&str; 6] = ["settings", "evaluator", "cluster", "request", "partition", "accounts"];

/// A short job of Slurm that takes the place of those with the same settings, to see what a node has of what they need.
/// Dropping it removes what it has made.
pub struct NodeCheck {
    job: JobId,
    // Before the directory, so that nothing writes there any more.
    scheduler: JobScheduler,
    dir: OwnDir,
    spec: JobSpec,
}

impl NodeCheck {
    /// Whether what [`check`](crate::check()) has found lets a job come to a node.
    pub fn is_worth_it(found: &[Finding]) -> bool {
        let stops =
            |finding: &Finding| finding.result.is_err() && NEEDED.contains(&finding.subject);
        !found.iter().any(stops)
    }

    /// Submits the job, with a results dir in a directory that this makes in `dir`, where those of other jobs are to be. Has to be called
    /// within a tokio runtime.
    ///
    /// # Errors
    ///
    /// What keeps it from being submitted.
    pub fn begin(config: &JobConfig, dir: &Path) -> Result<(Self, Events), Finding> {
        let refused = |error: SchedulerError| {
            Finding::new(SUBJECT, Err((error.to_string(), "correct the settings")))
        };
        let spec = config.spec();
        let own = OwnDir::new(dir, &spec).map_err(|error| {
            let what = format!("cannot make a directory in {}: {error}", dir.display());
            Finding::new("results dir", Err((what, "name another one with `--submit=DIR`")))
        })?;
        let probing = with_probe(config, own.probe());
        let options = SchedulerOptions::default();
        let scheduler = JobScheduler::new(config.job_type(), probing, options).map_err(refused)?;
        let events = scheduler.events();
        let job = scheduler.submit(&spec.evaluator, own.results()).map_err(refused)?;
        Ok((Self { job, scheduler, dir: own, spec }, events))
    }

    /// Cancels the job. Its end is for [`NodeCheck::find`] to await.
    pub fn cancel(&self) {
        self.scheduler.cancel(&[self.job]);
    }

    /// Waits until the job is over, and adds what it says to what was found from here, in place of what was a guess.
    pub async fn find(&self, mut found: Vec<Finding>) -> Vec<Finding> {
        let of_node = match self.results().await {
            Ok(results) => self.in_words(&results),
            Err(error) => vec![Finding::new(SUBJECT, Err((error.to_string(), "try again")))],
        };
        let ran =
            of_node.iter().any(|finding| finding.subject == SUBJECT && finding.result.is_ok());
        found.retain(|finding| {
            let is_known = of_node.iter().any(|it| it.subject == finding.subject);
            let is_refuted = ran && finding.subject == "activation" && finding.result.is_err();
            !is_known && !is_refuted
        });
        found.extend(of_node);
        found
    }

    async fn results(&self) -> Result<Results, SchedulerError> {
        self.scheduler.wait(self.job).await?;
        self.scheduler.collect(self.job).await
    }

    fn in_words(&self, results: &Results) -> Vec<Finding> {
        let host = Record::read(&self.dir.results()).map_or_else(|_| "a node".into(), |it| it.host);
        let status = match &results.outcome {
            Outcome::Exited { code } => Some(Status::Exited(*code)),
            Outcome::Signaled { signal, .. } => Some(Status::Signaled(*signal)),
            Outcome::TimedOut { .. } => None,
            other => {
                let what = results.detail.clone().unwrap_or_else(|| other.to_string());
                let what = match other {
                    Outcome::NodeFailed { .. } | Outcome::Lost { .. } => {
                        let dir = self.dir.beside.display();
                        format!("a job that was to write in {dir} has left nothing: {what}")
                    }
                    _ => what,
                };
                return vec![Finding::new(SUBJECT, Err((what, self.advice(other))))];
            }
        };
        let Seconds { queued, running, total } = results.seconds;
        let late = (total - queued - running).max(0.0);
        let ran = format!(
            "a job ran on {host}, {queued:.1} s after it was submitted, and its end was seen here {late:.1} s later"
        );
        let (stdout, stderr) = (results.stdout_log.text(), results.stderr_log.text());
        let inside = Inside { status, stdout: stdout.into_bytes(), stderr: stderr.into_bytes() };
        let mut findings = vec![Finding::new(SUBJECT, Ok(ran)), self.files(&host, &inside)];
        findings.extend(match self.spec.evaluator_kind {
            EvaluatorKind::Python => self.python(&host, &inside),
            EvaluatorKind::Executable => vec![self.executable(&host, &inside)],
        });
        findings
    }

    /// Whether results come from there to here.
    fn files(&self, host: &str, inside: &Inside) -> Finding {
        let dir = self.dir.beside.display();
        let is_there = |name| self.dir.results().join(name).metadata().is_ok_and(|it| it.len() > 0);
        let result = if [names::METRICS, names::CORRECT].into_iter().all(is_there) {
            Ok(format!("what {host} writes in {dir} is seen here"))
        } else {
            let said = last_line(&inside.stderr);
            let what = format!("what {host} writes in {dir} is not seen here: {said}");
            Err((
                what,
                "use a directory on a file system that the nodes share with this machine, and that they may write to",
            ))
        };
        Finding::new("results dir", result)
    }

    /// Which Python it is there, and what came of the evaluator's imports.
    fn python(&self, host: &str, inside: &Inside) -> Vec<Finding> {
        let said = String::from_utf8_lossy(&inside.stdout);
        let python = said.lines().find_map(|line| line.strip_prefix("sortie: python "));
        let Some(python) = python else {
            let python = self.spec.python().display();
            let said = last_line(&inside.stderr);
            let what = format!("{python} does not run Python on {host}: {said}");
            let advice = "set `python_executable` to a Python of the nodes";
            return vec![Finding::new("interpreter", Err((what, advice)))];
        };
        let python = format!("{python} on {host}");
        let is_in_container = self.spec.container().is_some();
        let patience = self.spec.time_limit.map_or(LONGEST, |time| time.min(LONGEST));
        let imports = imports::on_node(inside, &python, is_in_container, patience);
        vec![Finding::new("interpreter", Ok(python)), imports]
    }

    fn executable(&self, host: &str, inside: &Inside) -> Finding {
        let evaluator = self.spec.evaluator.display();
        let result = if inside.status == Some(Status::Exited(0)) {
            Ok(format!("{evaluator} can be started on {host}"))
        } else {
            let advice = "install what it needs on the nodes or in the image, or see that they have the file";
            Err((format!("on {host}: {}", last_line(&inside.stderr)), advice))
        };
        Finding::new("evaluator", result)
    }

    /// What to do where the job did not come to its probe.
    fn advice(&self, outcome: &Outcome) -> &'static str {
        let Outcome::SetupFailed { reason, .. } = outcome else {
            return match outcome {
                Outcome::SubmitFailed { .. } => super::REQUEST_ADVICE,
                Outcome::NotStarted { .. } => "correct the settings",
                Outcome::OutOfMemory => "raise `mem`",
                Outcome::NodeFailed { .. } | Outcome::Lost { .. } => {
                    "use, with `--submit=DIR`, a directory on a file system that the nodes share with this machine; or, if it is, \
                     set `exclude` to the node"
                }
                _ => "try again",
            };
        };
        match reason.split(':').next().unwrap_or_default() {
            "working directory" => "start in a directory that the nodes see, too",
            "module" | "module load" => "correct `modules`: see `module avail` on a node",
            "conda" | "conda activate" => {
                "set `conda_env` to one that the nodes see, or `CONDA_EXE` in `environment.set`"
            }
            "activate script" => "correct `activate_script`",
            "python" => "or install Python on the nodes, in what is activated there",
            "engine command" => "set `engine` to what the nodes have: docker, podman or apptainer",
            "results dir" => {
                "use, with `--submit=DIR`, a directory that containers on the nodes may write to"
            }
            "limits" => "leave these limits out, or set `require_limits` to false",
            _ if self.spec.container().is_some() => {
                "correct `image` or `image_tar_path`, or see what the engine lacks on the node"
            }
            _ => "see what the node lacks",
        }
    }
}
