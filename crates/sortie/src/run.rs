//! `sortie run`: one job, to its results.

use std::pin::pin;

use sortie_results::{Fault, Outcome, Results};
use sortie_scheduler::{Event, JobId, JobScheduler, SchedulerOptions};
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::job::JobArgs;
use crate::output::one_line;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::{exit_status, log, output};

const AFTER_HELP: &str = "\
Prints one JSON object: correct, metrics, correct_json, stdout_log, stderr_log,
outcome, fault, detail, seconds, attempt, usage. It is on one line, or indented
if standard output is a terminal. RESULTS_DIR has the logs as they grow, in
job_log.out and job_log.err, and the attempt's record, in job.json.

Ctrl-C (or SIGTERM, SIGHUP) stops the job with all its processes, and its
results are still printed; a second one kills it at once.

Exit status:
  0    the candidate is correct
  1    it is not: judged so, crashed, ran into a limit, or left no usable result
  2    something to mend: command line, settings, evaluator, environment
  3    the machine failed, or the results could not be printed: try again
  130  interrupted by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)

Example:
  sortie run --config job.yaml gen_0/main.py gen_0/results | jq .metrics";

/// Run the evaluator on a candidate, and print its results as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) fn execute(args: &Args, verbose: bool) -> Result<u8, Failure> {
    let config = args.job.load()?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let status = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Failure::Runtime)?;
        let limit = config.time_limit();
        let options = SchedulerOptions { verbose, ..SchedulerOptions::default() };
        let scheduler = JobScheduler::new(config.job_type(), config, options)?;
        let progress = Progress::start(!log::is_on(verbose), &args.job.candidate, limit);
        let ended = attend(&scheduler, &args.job, &mut signals, &progress).await;
        drop(progress);
        report(ended?, &mut signals).await
    });
    // Without waiting for a standard output that nobody reads.
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
    args: &JobArgs,
    signals: &mut Signals,
    progress: &Progress,
) -> Result<Ended, Failure> {
    let mut events = scheduler.events();
    let mut run = pin!(scheduler.run(&args.candidate, &args.results_dir));
    let mut job: Option<JobId> = None;
    let mut received = Vec::new();
    loop {
        tokio::select! {
            biased; // So that the job is known before a signal is seen to.
            ended = &mut run => {
                return Ok(Ended { results: ended?.0, signal: received.first().copied() });
            }
            Some(event) = events.next() => match event {
                Event::Submitted { job: id, .. } => job = Some(id),
                Event::Started { .. } if received.is_empty() => progress.running(),
                Event::Pending { reason, .. } if received.is_empty() => {
                    progress.say(format!("queued ({})", one_line(&reason)));
                }
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
    let printed = tokio::task::spawn_blocking(move || output::print(&json));
    tokio::select! {
        printed = printed => printed.map_err(Into::into).flatten().map_err(Failure::Output)?,
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

fn status(results: &Results) -> u8 {
    match (results.fault, &results.outcome) {
        (Some(Fault::Setup), _) => exit_status::SETUP,
        (Some(Fault::Infrastructure), _) => exit_status::INFRASTRUCTURE,
        (None, Outcome::Cancelled) => exit_status::INTERRUPTED,
        (None, _) if results.correct => exit_status::CORRECT,
        (Some(Fault::Candidate) | None, _) => exit_status::NOT_CORRECT,
    }
}
