//! What the end of a Slurm job means for the attempt.

use std::time::Duration;

use sortie_results::{End, Fault, JobEnd, Outcome};
use sortie_slurm::{Ended, Ending};

use super::flight::Stop;

/// Slurm sends the early SIGTERM up to a minute before it is due, sbatch(1) under `--signal`.
const EARLIER: Duration = Duration::from_secs(60);
/// SIGKILL, by which the kernel and Slurm end what uses too much memory.
const KILL: i32 = 9;

/// What the launcher knows of an attempt by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// Why it had it cancelled, if it did.
    pub(super) stop: Option<Stop>,
    /// Why it waited in the queue, as last heard.
    pub(super) reason: String,
    pub(super) time_limit: Option<Duration>,
    /// How long before the limit the script is told to end.
    pub(super) early_term: Duration,
}

/// The outcome of a job that Slurm says is over, or that says so itself by its record.
pub(super) fn outcome(ended: &Ended, record: Option<&JobEnd>, context: &Context) -> Outcome {
    let Some(record) = record else { return without_record(ended, context) };
    match &record.end {
        End::Exited { code } => Outcome::Exited { code: *code },
        End::Signaled { signal: KILL } if ended.how == Ending::OutOfMemory => Outcome::OutOfMemory,
        End::Signaled { signal } => Outcome::signaled(*signal),
        End::OutputLimit { limit_bytes } => Outcome::OutputLimit { limit_bytes: *limit_bytes },
        End::SetupFailed { step, status } => {
            let reason = format!("{step}: status {status} on {}", record.start.host);
            Outcome::SetupFailed { reason, fault: Fault::Setup }
        }
        End::Terminated { signal } => terminated(ended, record.running(), *signal, context),
        End::Restarted => match without_record(ended, context) {
            // Slurm tells how the second run ended, which is of no interest.
            Outcome::Lost { .. } | Outcome::Exited { .. } => Outcome::NodeFailed {
                reason: "Slurm started it a second time, so its first run was cut short".into(),
            },
            other => other,
        },
    }
}

/// The script was told to end, and said so.
fn terminated(ended: &Ended, running: Duration, signal: i32, context: &Context) -> Outcome {
    let at_limit = context
        .time_limit
        .is_some_and(|limit| running + context.early_term + EARLIER >= limit && !limit.is_zero());
    match ended.how {
        // The early signal: Slurm sees a script that ends with an exit code of its own.
        Ending::Completed | Ending::Failed | Ending::Recorded | Ending::Lost => {
            match (context.stop, at_limit) {
                (Some(_), _) => stopped(context),
                (None, true) => timed_out(context),
                (None, false) => Outcome::signaled(signal),
            }
        }
        _ => without_record(ended, context),
    }
}

/// What Slurm itself says, of a job that left no record.
fn without_record(ended: &Ended, context: &Context) -> Outcome {
    let host = ended.info.as_ref().and_then(|info| info.host.as_deref()).unwrap_or("its node");
    match ended.how {
        Ending::Cancelled(_) | Ending::Lost if context.stop.is_some() => stopped(context),
        Ending::Cancelled(_) => Outcome::Cancelled,
        Ending::TimedOut => timed_out(context),
        Ending::OutOfMemory => Outcome::OutOfMemory,
        Ending::Preempted => Outcome::Preempted,
        Ending::NodeFailed => Outcome::NodeFailed { reason: format!("{host} failed") },
        Ending::BootFailed => Outcome::NodeFailed { reason: format!("{host} did not boot") },
        Ending::Deadline => {
            let reason = "it could not end before its deadline".to_owned();
            Outcome::SubmitFailed { reason, fault: Fault::Setup }
        }
        Ending::Failed => {
            let exit = ended.info.as_ref().and_then(|info| info.exit);
            let exit = exit.map(|exit| format!(" (exit {exit})")).unwrap_or_default();
            let reason = format!("its script left no record on {host}{exit}");
            Outcome::NodeFailed { reason }
        }
        Ending::Completed | Ending::Recorded | Ending::Revoked | Ending::Lost => {
            let reason = "it has left Slurm's queue, and no record of its end".to_owned();
            Outcome::Lost { reason }
        }
    }
}

fn timed_out(context: &Context) -> Outcome {
    let limit_seconds = context.time_limit.unwrap_or_default().as_secs_f64();
    Outcome::TimedOut { limit_seconds }
}

fn stopped(context: &Context) -> Outcome {
    match context.stop {
        Some(Stop::Overdue) => {
            let reason = format!("it waited in Slurm's queue for too long: {}", context.reason);
            Outcome::SubmitFailed { reason, fault: Fault::Setup }
        }
        Some(Stop::Asked) | None => Outcome::Cancelled,
    }
}
