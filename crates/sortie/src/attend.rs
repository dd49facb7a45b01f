//! Seeing to one job until its results are printed.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use sortie_config::JobConfig;
use sortie_results::{Fault, Outcome, Results};
use sortie_scheduler::{Event, JobId, JobScheduler, SchedulerError, SchedulerOptions};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::{exit_status, log, output};

/// Has a job of these settings brought to its end, shows it as `name` meanwhile, and prints its results: the exit
/// status.
pub(crate) fn see_to(
    config: JobConfig,
    name: &Path,
    verbose: bool,
    job_to_its_end: impl AsyncFnOnce(&JobScheduler) -> Result<Results, SchedulerError>,
) -> Result<u8, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let status = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Failure::Runtime)?;
        let limit = config.time_limit();
        let options = SchedulerOptions { verbose, ..SchedulerOptions::default() };
        let scheduler = JobScheduler::new(config.job_type(), config, options)?;
        let progress = Progress::start(!log::is_on(verbose), name, limit);
        let job = job_to_its_end(&scheduler);
        let ended = attend(&scheduler, job, &mut signals, &progress).await;
        drop(progress);
        report(ended?, &mut signals).await
    });
    // Without waiting for a file system that does not answer.
    runtime.shutdown_background();
    status
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
    progress: &Progress,
) -> Result<Ended, Failure> {
    let mut events = scheduler.events();
    let mut run = pin!(job_to_its_end);
    let mut job: Option<JobId> = None;
    let mut received = Vec::new();
    loop {
        tokio::select! {
            biased; // So that the job is known before a signal is seen to.
            ended = &mut run => {
                return Ok(Ended { results: ended?, signal: received.first().copied() });
            }
            Some(event) = events.next() => match event {
                Event::Submitted { job: id, .. } => job = Some(id),
                Event::Pending { reason, .. } if received.is_empty() => progress.pending(&reason),
                Event::Started { .. } if received.is_empty() => progress.running(),
                Event::Pending { .. }
                | Event::Started { .. }
                | Event::Finished { .. }
                | Event::Missed(_) => {}
            },
            signal = signals.next() => {
                received.push(signal);
                match received.len() {
                    1 => {
                        progress.say("stopping (Ctrl-C again kills)");
                        scheduler.cancel(job.as_slice());
                    }
                    2 => {
                        progress.say("killing");
                        scheduler.kill(job.as_slice());
                    }
                    _ => return Err(Failure::Abandoned { signal }),
                }
            }
        }
    }
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
    Ok(signal.map_or_else(|| status(&results), exit_status::of_signal))
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

fn status(results: &Results) -> u8 {
    match (results.fault, &results.outcome) {
        (Some(Fault::Setup), _) => exit_status::SETUP,
        (Some(Fault::Infrastructure), _) => exit_status::INFRASTRUCTURE,
        (None, Outcome::Cancelled) => exit_status::INTERRUPTED,
        (None, _) if results.correct => exit_status::CORRECT,
        (Some(Fault::Candidate) | None, _) => exit_status::NOT_CORRECT,
    }
}
