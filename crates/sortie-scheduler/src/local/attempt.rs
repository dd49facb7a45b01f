//! One attempt on this machine, from its results dir to its record.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use sortie_process::{Command, Exit, Files, News, Process, RunError};
use sortie_results::jiff::{SignedDuration, Timestamp};
use sortie_results::{
    AttemptId, Claim, ClaimError, Ended, Fault, Outcome, ResultsDir, Run, Seconds, Start,
};
use tokio::sync::watch;
use tracing::Instrument;

use super::{Listed, Shared, outcome};
use crate::descriptors::are_short;
use crate::executor::{Cancel, Job, without_results};

type Cancelled = watch::Receiver<Option<Cancel>>;

/// The waits for a results dir that another attempt holds: each is twice the one before, together a
/// second. A tree that was just killed may need milliseconds to let go.
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LAST_WAIT: Duration = Duration::from_millis(512);
/// The last wait of one that holds its results dir for files to be closed: a minute, all together.
const LONGEST_WAIT: Duration = Duration::from_secs(32);
/// Why a job waits that could run.
const NO_FILES: &str = "no more files may be open: the limit is reached (`ulimit -n`)";

/// Sees to a job until it is over, and tells.
pub(super) async fn run(listed: Listed, job: Job, cancel: Cancelled) {
    let span = tracing::info_span!("job", name = %job.name(), attempt = %job.attempt);
    attempt(&listed.shared, job, cancel).instrument(span).await;
}

async fn attempt(shared: &Shared, job: Job, cancel: Cancelled) {
    let claim = match claim(shared, &job, &cancel).await {
        Ok(claim) => claim,
        Err(error) => {
            let results = without_results(job.attempt, (&error).into(), job.submitted.elapsed());
            shared.log(&results.outcome, None);
            return job.reporter.ended(results, false);
        }
    };
    let execution = execute(shared, &job, &claim, cancel).await;
    shared.log(&execution.outcome, execution.start().as_ref());
    conclude(shared, job, claim, execution).await;
}

/// What is known of an attempt whose command is over.
struct Execution {
    outcome: Outcome,
    /// The command line, as far as it came to one.
    command: Vec<OsString>,
    /// From submitting the job until its command was started, or was not.
    queued: Duration,
    exit: Option<Exit>,
    /// Of the evaluator, if it came to a command.
    sha256: Option<Arc<str>>,
}

impl Execution {
    /// How the evaluator was started, if it was.
    fn start(&self) -> Option<Start> {
        self.exit.as_ref().map(|exit| outcome::start(&exit.start))
    }
}

async fn claim(shared: &Shared, job: &Job, cancel: &Cancelled) -> Result<Claim, ClaimError> {
    let dir = shared.plan.here.cwd.join(&job.paths.results_dir);
    let mut wait = FIRST_WAIT;
    loop {
        match ResultsDir::claim_with(&dir, job.attempt, shared.setting.consent) {
            Err(ClaimError::InUse { .. }) if wait <= LAST_WAIT => tokio::time::sleep(wait).await,
            Err(ClaimError::Failed { source, .. })
                if are_short(&source) && shared.may_wait(wait, cancel) =>
            {
                job.reporter.pending(NO_FILES.into());
                tokio::time::sleep(wait.min(LAST_WAIT)).await;
            }
            other => return other,
        }
        wait = wait.saturating_mul(2);
    }
}

async fn execute(shared: &Shared, job: &Job, claim: &Claim, mut cancel: Cancelled) -> Execution {
    let (plan, limits) = (&shared.plan, shared.plan.limits());
    let not_run = |outcome, command| Execution {
        outcome,
        command,
        queued: job.submitted.elapsed(),
        exit: None,
        sha256: None,
    };
    if cancel.borrow_and_update().is_some() {
        return not_run(Outcome::Cancelled, Vec::new());
    }
    let planned = match plan.evaluation(&job.paths, claim.place().state_dir(), job.attempt) {
        Ok(planned) => planned,
        Err(error) => return not_run(error.into(), Vec::new()),
    };
    let sha256 = planned.evaluator_sha256.clone();
    let template = plan.server(&planned, &job.paths);
    let command = Command { template, ..plan.command(&planned, limits.clone()) };
    let (activates, contained) = (planned.activates.clone(), planned.inside.is_some());
    let argv = planned.argv();
    let mut process = match start(shared, claim, &command, &cancel).await {
        Ok(process) => process,
        Err(outcome) => return Execution { sha256, ..not_run(outcome, argv) },
    };
    job.reporter.started();
    shared.log_start(&argv);
    let queued = job.submitted.elapsed();
    let ended = wait(shared, claim, &mut process, &mut cancel).await;
    if let Ok(exit) = &ended {
        shared.warnings.note(&exit.start);
    }
    remove_container(shared, job.attempt, &ended).await;
    let outcome = match &ended {
        Ok(exit) if contained && exit.stopped.is_none() => {
            plan.outcome_inside(claim.place(), job.attempt, exit)
        }
        Ok(exit) => outcome::of_exit(exit, &limits, activates.as_deref(), claim.stderr()),
        Err(error) => outcome::of_run_error(error),
    };
    let outcome = without_evaluator(shared, outcome);
    Execution { outcome, command: argv, queued, exit: ended.ok(), sha256 }
}

/// Starts the command; waits a while for files to be closed where it could not be for the limit of open files.
async fn start(
    shared: &Shared,
    claim: &Claim,
    command: &Command,
    cancel: &Cancelled,
) -> Result<Process, Outcome> {
    let mut wait = FIRST_WAIT;
    loop {
        let (short, outcome) = match files(claim) {
            Err(error) => (are_short(&error), out_of_files(&error)),
            Ok(files) => match shared.setting.supervisor.spawn(command, files).await {
                Ok(process) => return Ok(process),
                Err(error) => {
                    let said = error.source().and_then(|error| error.downcast_ref());
                    (said.is_some_and(are_short), outcome::of_spawn_error(&error))
                }
            },
        };
        // All that run may wait so.
        if !short || wait > LONGEST_WAIT || !shared.may_wait(wait, cancel) {
            return Err(outcome);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

/// Waits for the end of the command, and passes on what is asked meanwhile.
async fn wait(
    shared: &Shared,
    claim: &Claim,
    process: &mut Process,
    cancel: &mut Cancelled,
) -> Result<Exit, RunError> {
    let mut asked = true;
    loop {
        let changed = tokio::select! {
            news = process.news() => match news {
                News::Ended(ended) => return ended,
                News::FirstEnded => {
                    if let Err(error) = claim.keep(shared.setting.read_limits) {
                        tracing::warn!("what the evaluator has left cannot be kept: {error}");
                    }
                    continue;
                }
            },
            changed = cancel.changed(), if asked => changed,
        };
        asked = changed.is_ok();
        let how = *cancel.borrow_and_update();
        match how.filter(|_| asked) {
            Some(Cancel::Gently) => process.stop(),
            Some(Cancel::AtOnce) => kill(shared, claim.attempt(), process).await,
            None => {}
        }
    }
}

/// Kills the command. A container is killed through its engine, while its script is told to end: that still knows
/// what is to be removed, whatever becomes of the launcher meanwhile.
async fn kill(shared: &Shared, attempt: AttemptId, process: &mut Process) {
    match shared.plan.removal(attempt) {
        None => process.kill(),
        Some(command) => {
            process.stop();
            // What this leaves, the script removes.
            let _ = shared.setting.supervisor.capture(&command, &[]).await;
        }
    }
}

/// Removes what a command that was stopped may have left to its engine.
async fn remove_container(shared: &Shared, attempt: AttemptId, ended: &Result<Exit, RunError>) {
    let by_itself = ended.as_ref().is_ok_and(|exit| exit.stopped.is_none());
    if let Some(command) = shared.plan.removal(attempt).filter(|_| !by_itself)
        && let Err(error) = shared.setting.supervisor.capture(&command, &[]).await
    {
        tracing::warn!(%error, "the attempt's container may be left");
    }
}

/// An evaluator that was taken away meanwhile makes Python exit with a code of its own, for which
/// the candidate is not to blame.
fn without_evaluator(shared: &Shared, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Exited { code } if code != 0 && !shared.plan.has_evaluator() => {
            let path = shared.plan.evaluator().display();
            let reason = format!("the evaluator {path} was removed meanwhile (exit code {code})");
            Outcome::not_started(reason)
        }
        outcome => outcome,
    }
}

/// Reads what the attempt left, keeps its record, and tells.
async fn conclude(shared: &Shared, job: Job, claim: Claim, execution: Execution) {
    let start = execution.start();
    let Execution { outcome, command, queued, exit, sha256 } = execution;
    let running = exit.as_ref().map_or(Duration::ZERO, |exit| exit.running);
    let seconds = Seconds {
        queued: queued.as_secs_f64(),
        running: running.as_secs_f64(),
        total: job.submitted.elapsed().as_secs_f64(),
    };
    // That of the engine's command says nothing of the container.
    let measured = exit.as_ref().filter(|_| shared.plan.containers.is_none());
    let usage = measured.map(|exit| outcome::usage(&exit.usage)).unwrap_or_default();
    let programs = job.paths.programs(&shared.plan.config, &shared.plan.here.cwd, &outcome);
    let ended = Ended { outcome, seconds, usage, programs };
    let mut results = claim.collect(ended, shared.setting.read_limits);
    let total = job.submitted.elapsed();
    results.seconds.total = total.as_secs_f64();
    results.start = start;
    let ended_at = Timestamp::now();
    let since_submitted = SignedDuration::try_from(total).unwrap_or_default();
    let protections = shared.setting.supervisor.protections().await.unwrap_or_default();
    let run = Run {
        candidate: job.paths.candidate.to_path_buf(),
        command,
        submitted_at: ended_at.saturating_sub(since_submitted).unwrap_or(ended_at),
        started_at: exit.as_ref().and_then(|exit| Timestamp::try_from(exit.started_at).ok()),
        ended_at,
        stragglers: exit.as_ref().map_or(0, |exit| exit.stragglers),
        protection: protections.iter().map(ToString::to_string).collect(),
        host: shared.plan.here.host.clone(),
        evaluator_sha256: sha256.map(|sha256| sha256.to_string()),
        read_limits: shared.setting.read_limits,
    };
    let recorded = claim.record(&run, &results).inspect_err(|error| {
        tracing::warn!("the attempt is not recorded: {error}");
    });
    claim.release();
    job.reporter.ended(results, recorded.is_ok());
}

fn files(claim: &Claim) -> io::Result<Files> {
    Ok(Files {
        stdout: claim.stdout().try_clone()?,
        stderr: claim.stderr().try_clone()?,
        hold: Some(claim.hold()?),
    })
}

fn out_of_files(error: &io::Error) -> Outcome {
    let reason = format!("cannot open the logs once more: {error}");
    Outcome::NotStarted { reason, fault: Fault::Infrastructure }
}

impl Shared {
    /// Whether a job that can have no more files waits for some: for others to end, or a moment if there is no other.
    fn may_wait(&self, wait: Duration, cancel: &Cancelled) -> bool {
        cancel.borrow().is_none() && (wait <= LAST_WAIT || self.running().len() > 1)
    }

    fn log_start(&self, command: &[OsString]) {
        if self.setting.verbose {
            tracing::info!(?command, "started");
        } else {
            tracing::debug!(?command, "started");
        }
    }

    fn log(&self, outcome: &Outcome, start: Option<&Start>) {
        let start = start.map(tracing::field::display);
        if self.setting.verbose {
            tracing::info!(%outcome, start, "ended");
        } else {
            tracing::debug!(%outcome, start, "ended");
        }
    }
}
