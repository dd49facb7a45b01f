//! One attempt on this machine, from its results dir to its record.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use sortie_process::{Command, Exit, Files, News, Process, RunError, SpawnError};
use sortie_results::{AttemptId, Claim, Outcome, Start};
use tokio::sync::watch;
use tracing::Instrument;

use super::files::{self, Claimed, Guard, Keeping};
use super::{Listed, Planned, Shared, outcome};
use crate::descriptors::are_short;
use crate::devices::Grant;
use crate::executor::{Cancel, Job, without_results};

pub(super) type Cancelled = watch::Receiver<Option<Cancel>>;

/// The waits for files to be closed: each is twice the one before.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(1);
pub(super) const LAST_WAIT: Duration = Duration::from_millis(512);
/// The last wait of one that holds its results dir for files to be closed: a minute, all together.
const LONGEST_WAIT: Duration = Duration::from_secs(32);

/// Why a job waits that could run otherwise.
const DEVICES_OUT: &str = "jobs of another scheduler have the GPUs or CPUs that it is to have";

/// Sees to a job until it is over, and tells.
pub(super) async fn run(listed: Listed, job: Job, cancel: Cancelled) {
    let span = tracing::info_span!("job", name = %job.name(), attempt = %job.attempt);
    attempt(&listed.shared, job, cancel).instrument(span).await;
}

async fn attempt(shared: &Arc<Shared>, job: Job, mut cancel: Cancelled) {
    let claimed = match files::claim(shared, &job, &mut cancel).await {
        Ok(claimed) => claimed,
        Err(outcome) => {
            let results = without_results(job.attempt, outcome, job.submitted.elapsed());
            shared.log(&results.outcome, None);
            return job.reporter.ended(results, None);
        }
    };
    let Claimed { claim, planned } = claimed;
    let claim = Arc::new(claim);
    let held = (Guard::new(shared, &claim), claim);
    let execution = execute(shared, &job, &held.1, planned, &mut cancel).await;
    files::conclude(shared, job, held, execution, cancel).await;
}

/// What is known of an attempt whose command is over, before any file is looked at.
pub(super) struct Execution {
    pub(super) end: CommandEnd,
    /// The command line, as far as it came to one.
    pub(super) command: Vec<OsString>,
    /// From submitting the job until its command was started, or was not.
    pub(super) queued: Duration,
    /// Of the evaluator, if it came to a command.
    pub(super) sha256: Option<Arc<str>>,
    /// The result files being kept, if they still are.
    pub(super) keeping: Option<Keeping>,
}

pub(super) enum CommandEnd {
    NotRun(Outcome),
    Ran {
        ended: Result<Exit, RunError>,
        /// What was activated first, if anything.
        activates: Option<String>,
        contained: bool,
    },
}

impl Execution {
    pub(super) fn exit(&self) -> Option<&Exit> {
        match &self.end {
            CommandEnd::Ran { ended, .. } => ended.as_ref().ok(),
            CommandEnd::NotRun(_) => None,
        }
    }

    /// How the evaluator was started, if it was.
    pub(super) fn start(&self) -> Option<Start> {
        self.exit().map(|exit| outcome::start(&exit.start))
    }
}

async fn execute(
    shared: &Arc<Shared>,
    job: &Job,
    claim: &Arc<Claim>,
    planned: Result<super::Planned, super::NotReady>,
    cancel: &mut Cancelled,
) -> Execution {
    let (plan, limits) = (&shared.plan, shared.plan.limits());
    let not_run = |outcome, command| Execution {
        end: CommandEnd::NotRun(outcome),
        command,
        queued: job.submitted.elapsed(),
        sha256: None,
        keeping: None,
    };
    if cancel.borrow_and_update().is_some() {
        return not_run(Outcome::Cancelled, Vec::new());
    }
    let mut planned = match planned {
        Ok(planned) => planned,
        Err(error) => return not_run(error.into(), Vec::new()),
    };
    // It has them until this returns, when nothing of it runs any more.
    let _grant = match deal(shared, job, &mut planned, cancel).await {
        Ok(grant) => grant,
        Err(outcome) => return not_run(outcome, planned.argv()),
    };
    let sha256 = planned.evaluator_sha256.clone();
    let template = plan.server(&planned, &job.paths);
    let mut command = plan.command(&planned, limits);
    command.template = template;
    let (activates, contained) = (planned.activates.clone(), planned.inside.is_some());
    let argv = planned.argv();
    let mut process = match start(shared, claim, &command, cancel).await {
        Ok(process) => process,
        Err(outcome) => return Execution { sha256, ..not_run(outcome, argv) },
    };
    job.reporter.started();
    shared.log_start(&argv);
    let queued = job.submitted.elapsed();
    let (ended, keeping) = wait(shared, claim, &mut process, cancel).await;
    if let Ok(exit) = &ended {
        shared.warnings.note(&exit.start);
    }
    remove_container(shared, job.attempt, &ended).await;
    let end = CommandEnd::Ran { ended, activates, contained };
    Execution { end, command: argv, queued, sha256, keeping }
}

/// Waits for what the job is to have to itself, if anything, and has its command use that.
async fn deal(
    shared: &Shared,
    job: &Job,
    planned: &mut Planned,
    cancel: &mut Cancelled,
) -> Result<Option<Grant>, Outcome> {
    let Some(devices) = &shared.plan.devices else { return Ok(None) };
    let grant = tokio::select! {
        grant = devices.take(|| job.reporter.pending(DEVICES_OUT.into())) => grant,
        () = files::stopped(cancel, Cancel::Gently) => return Err(Outcome::Cancelled),
    };
    tracing::debug!(devices = ?grant.devices(), "dealt");
    devices.give(grant.devices(), planned);
    Ok(Some(grant))
}

/// Starts the command; waits a while for files to be closed where it could not be for the limit of open files.
async fn start(
    shared: &Shared,
    claim: &Claim,
    command: &Command,
    cancel: &Cancelled,
) -> Result<Process, Outcome> {
    let (stdout, stderr) = (claim.stdout().as_fd(), claim.stderr().as_fd());
    let files = Files { stdout, stderr, hold: Some(claim.hold()) };
    let mut wait = FIRST_WAIT;
    loop {
        let error = match shared.setting.supervisor.spawn(command, files).await {
            Ok(process) => return Ok(process),
            Err(error) => error,
        };
        let short = match &error {
            SpawnError::Helper { cause, .. } | SpawnError::HandOver { cause, .. } => {
                are_short(cause)
            }
            _ => false,
        };
        // All that run may wait so.
        if !short || wait > LONGEST_WAIT || !shared.may_wait(wait, cancel) {
            return Err(outcome::of_spawn_error(&error));
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

/// Waits for the end of the command, and passes on what is asked meanwhile. Files that are being kept are not waited for.
async fn wait(
    shared: &Arc<Shared>,
    claim: &Arc<Claim>,
    process: &mut Process,
    cancel: &mut Cancelled,
) -> (Result<Exit, RunError>, Option<Keeping>) {
    let (mut asked, mut keeping) = (true, None);
    loop {
        let changed = tokio::select! {
            news = process.news() => match news {
                News::Ended(ended) => return (ended, keeping),
                News::FirstEnded => {
                    keeping = Some(files::keep(shared, claim));
                    continue;
                }
            },
            () = kept(&mut keeping) => continue,
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

/// Returns when what is being kept is.
async fn kept(keeping: &mut Option<Keeping>) {
    match keeping {
        Some(files) => files.await,
        None => std::future::pending().await,
    }
    *keeping = None;
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

impl Shared {
    /// Whether a job that can have no more files waits for some: for others to end, or a moment if there is no other.
    pub(super) fn may_wait(&self, wait: Duration, cancel: &Cancelled) -> bool {
        cancel.borrow().is_none() && (wait <= LAST_WAIT || self.running().len() > 1)
    }

    fn log_start(&self, command: &[OsString]) {
        if self.setting.verbose {
            tracing::info!(?command, "started");
        } else {
            tracing::debug!(?command, "started");
        }
    }

    pub(super) fn log(&self, outcome: &Outcome, start: Option<&Start>) {
        let start = start.map(tracing::field::display);
        if self.setting.verbose {
            tracing::info!(%outcome, start, "ended");
        } else {
            tracing::debug!(%outcome, start, "ended");
        }
    }
}
