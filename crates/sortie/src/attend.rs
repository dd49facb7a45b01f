//! Seeing to one job until its results are printed.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use sortie_config::JobConfig;
use sortie_process::detach;
use sortie_results::{Consent, Fault, Outcome, Results, Stage};
use sortie_scheduler::{Event, JobId, JobLease, JobScheduler, SchedulerError, SchedulerOptions};
use tokio::sync::oneshot;

use crate::detached::Launcher;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::{exit_status, log, output, runtime};

/// What is to be brought to its end.
pub(crate) struct Errand<'a> {
    pub(crate) config: JobConfig,
    /// What it is shown as.
    pub(crate) name: &'a Path,
    pub(crate) results_dir: &'a Path,
    pub(crate) candidate: Option<&'a Path>,
    /// The subcommand that sees to it.
    pub(crate) command: &'static str,
    pub(crate) verbose: bool,
    /// Who is told that the job was accepted, where nobody is there to be shown its results.
    pub(crate) launcher: Option<&'a Launcher>,
    /// Whether its results are printed, where there is no launcher.
    pub(crate) prints: bool,
    /// Whether the job is taken from an owner that cannot be seen.
    pub(crate) consent: Consent,
}

/// Runs a job to its end, shows its progress, and prints its results if that is asked for. Returns the exit status.
pub(crate) fn see_to(
    errand: Errand<'_>,
    job_to_its_end: impl AsyncFnOnce(&JobScheduler) -> Result<Results, SchedulerError>,
) -> Result<u8, Failure> {
    let Errand { config, name, results_dir, candidate, command, launcher, .. } = errand;
    let Errand { verbose, prints, consent, .. } = errand;
    let lease = JobLease::take(results_dir, command, candidate, consent)?;
    if let (Some(lease), Some(_)) = (&lease, launcher) {
        log_to(lease);
    }
    let runtime = runtime::start()?;
    let status = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Failure::Runtime)?;
        let limit = config.spec().time_limit;
        let options = SchedulerOptions { verbose, consent, ..SchedulerOptions::default() };
        let scheduler = JobScheduler::new(config.job_type(), config, options)?;
        let progress = Progress::start(!log::is_on(verbose), name, limit);
        let watched = Watched { progress, lease, launcher };
        let job = job_to_its_end(&scheduler);
        let ended = attend(&scheduler, job, &mut signals, &watched).await;
        // Before the results are printed, which may take as long as it pleases who reads them.
        drop(watched);
        let ended = ended?;
        match launcher {
            Some(launcher) => Ok(answer(launcher, &ended.results)),
            None if !prints => Ok(exit_status::of(
                ended.results.fault,
                &ended.results.outcome,
                ended.results.correct,
            )),
            None => report(ended, &mut signals).await,
        }
    });
    // Without waiting for a file system that does not answer.
    runtime.shutdown_background();
    status
}

/// Has all that this process says from now on written to the log of the job.
fn log_to(lease: &JobLease) {
    if let Err(error) = lease.new_log().and_then(|log| detach::log_to(&log)) {
        tracing::warn!("there will be no log: {error}");
    }
}

/// Those who are told where the job stands.
struct Watched<'a> {
    progress: Progress,
    lease: Option<JobLease>,
    launcher: Option<&'a Launcher>,
}

impl Watched<'_> {
    /// It waits, and why; whether whoever started it is there or has been.
    fn pending(&self, reason: &str) -> bool {
        self.progress.pending(reason);
        self.note(Stage::Queued, Some(reason));
        self.launcher.is_none_or(Launcher::accepted)
    }

    /// Its attempt is under way.
    fn running(&self) -> bool {
        self.progress.running();
        self.note(Stage::Running, None);
        self.launcher.is_none_or(Launcher::accepted)
    }

    fn stopping(&self, how: &'static str) {
        self.progress.say(how);
        self.note(Stage::Stopping, None);
    }

    fn note(&self, stage: Stage, reason: Option<&str>) {
        if let Some(lease) = &self.lease {
            lease.says(stage, reason);
        }
    }
}

/// A job that is over.
struct Ended {
    results: Results,
    /// The signal that asked for its end, if one did.
    signal: Option<u8>,
}

/// Sees to the job until it is over: the first signal stops it, the second kills it, and the third
/// leaves it to the helper processes, which end it when they see the tool end.
async fn attend(
    scheduler: &JobScheduler,
    job_to_its_end: impl Future<Output = Result<Results, SchedulerError>>,
    signals: &mut Signals,
    watched: &Watched<'_>,
) -> Result<Ended, Failure> {
    let mut events = scheduler.events();
    let mut run = pin!(job_to_its_end);
    let mut job: Option<JobId> = None;
    let mut received = Vec::new();
    let mut wanted = true;
    loop {
        if !wanted {
            scheduler.cancel(job.as_slice());
        }
        tokio::select! {
            biased; // So that the job is known before a signal is seen to.
            ended = &mut run => {
                return Ok(Ended { results: ended?, signal: received.first().copied() });
            }
            Some(event) = events.next() => match event {
                Event::Submitted { job: id, .. } => job = Some(id),
                Event::Pending { reason, .. } if received.is_empty() => {
                    wanted &= watched.pending(&reason);
                }
                Event::Started { .. } if received.is_empty() => wanted &= watched.running(),
                Event::Pending { .. }
                | Event::Started { .. }
                | Event::Finished { .. }
                | Event::Missed(_) => {}
            },
            signal = signals.next() => {
                received.push(signal);
                match received.len() {
                    1 => {
                        watched.stopping("stopping (Ctrl-C again kills)");
                        scheduler.cancel(job.as_slice());
                    }
                    2 => {
                        watched.stopping("killing");
                        scheduler.kill(job.as_slice());
                    }
                    // Whoever has no terminal is not in a hurry.
                    _ if watched.launcher.is_some() => {}
                    _ => return Err(Failure::Abandoned { signal }),
                }
            }
        }
    }
}

/// Tells whoever started this, if they have not been told otherwise, whether the job was accepted.
fn answer(launcher: &Launcher, results: &Results) -> u8 {
    let status = exit_status::of(results.fault, &results.outcome, results.correct);
    let detail = results.detail.as_deref().unwrap_or_default();
    tracing::info!("the job is over: {}", results.outcome);
    match &results.outcome {
        Outcome::NotStarted { .. } | Outcome::SubmitFailed { .. } => {
            let hint = (results.fault == Some(Fault::Setup)).then_some(output::SEE_CHECK);
            launcher.refused(detail, hint, status);
        }
        _ => {
            launcher.accepted();
        }
    }
    status
}

/// Prints the results, and says what is to be mended.
async fn report(ended: Ended, signals: &mut Signals) -> Result<u8, Failure> {
    let Ended { results, signal } = ended;
    let json = output::json(&results).map_err(Failure::Output)?;
    tokio::select! {
        printed = print(json) => printed.map_err(Failure::Output)?,
        signal = signals.next() => return Err(Failure::Interrupted { signal }),
    }
    if let Some(detail) = &results.detail {
        match results.fault {
            Some(Fault::Setup) => output::error(detail, Some(output::SEE_CHECK)),
            Some(Fault::Infrastructure) => {
                output::error(detail, Some("not the candidate's fault: try again"));
            }
            Some(Fault::Candidate) | None => {}
        }
    }
    Ok(signal.map_or_else(
        || exit_status::of(results.fault, &results.outcome, results.correct),
        exit_status::of_signal,
    ))
}

/// Prints in a thread of its own, as a standard output that nobody reads blocks; in this one where the machine has no
/// other to give, which is no reason to keep the results back.
async fn print(json: Vec<u8>) -> io::Result<()> {
    let json = Arc::new(json);
    let (sender, printed) = oneshot::channel();
    let shared = json.clone();
    match thread::Builder::new().spawn(move || sender.send(output::print(&shared))) {
        Ok(_) => printed.await.unwrap_or_else(|error| Err(io::Error::other(error))),
        Err(_) => output::print(&json),
    }
}
