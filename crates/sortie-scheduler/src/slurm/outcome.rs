//! What the end of a Slurm job means for the attempt.

use std::time::Duration;

use sortie_results::{End, Fault, JobEnd, Outcome, Speaker};
use sortie_slurm::{Ended, Ending};

use super::flight::Stop;
use crate::container;

/// Slurm sends the early SIGTERM up to a minute before it is due, sbatch(1) under `--signal`.
const EARLIER: Duration = Duration::from_secs(60);
/// SIGKILL, by which the kernel and Slurm end what uses too much memory.
const KILL: i32 = 9;
/// SIGTERM, by which Slurm tells all processes of a job to end.
const TERM: i32 = 15;

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
    /// Whether Slurm has said in the log that memory ran out; see [`says_out_of_memory`].
    pub(super) out_of_memory: bool,
    /// Whether the script has left a record of its start: without one it never ran, or its node never got so far.
    pub(super) began: bool,
    /// This user's id, by which the accounts tell who cancelled a job.
    pub(super) user: u32,
}

/// Whether a log has Slurm's word that memory ran out. Where no cgroup tells, the state does not say so either:
/// such a job is `FAILED`, killed by SIGKILL.
pub(super) fn says_out_of_memory(log: &str) -> bool {
    let phrases = ["exceeded memory limit", "exceeded job memory limit", "oom-kill", "oom_kill"];
    log.lines().any(|line| {
        let words = line.to_ascii_lowercase();
        Speaker::of(line) == Speaker::Slurm && phrases.iter().any(|phrase| words.contains(phrase))
    })
}

/// The outcome of a job that Slurm says is over, or that says so itself by its record.
pub(super) fn outcome(ended: &Ended, record: Option<&JobEnd>, context: &Context) -> Outcome {
    let Some(record) = record else { return without_record(ended, context) };
    let by_itself = container::outcome(&record.end, &record.start.host);
    let out_of_memory = context.out_of_memory || ended.how == Ending::OutOfMemory;
    match &record.end {
        End::Exited { code } if is_of_signal(*code) && is_slurms_doing(ended.how) => {
            without_record(ended, context)
        }
        End::Exited { code: 0 } => Outcome::Exited { code: 0 },
        // It was told to end, and ended in its own way.
        End::Exited { .. } | End::Signaled { .. } if context.stop.is_some() => stopped(context),
        // Apptainer is among the processes of the job, and may be what the kernel or Slurm ends.
        End::Signaled { signal: KILL } | End::EngineFailed { .. } if out_of_memory => {
            Outcome::OutOfMemory
        }
        End::Signaled { signal: TERM | KILL } if is_slurms_doing(ended.how) => {
            without_record(ended, context)
        }
        End::Terminated { signal } => terminated(ended, record.running(), *signal, context),
        End::Restarted => match without_record(ended, context) {
            // Slurm tells how the second run ended, which is of no interest.
            Outcome::Lost { .. } | Outcome::NodeFailed { .. } => Outcome::NodeFailed {
                reason: "Slurm started it a second time, so its first run was cut short".into(),
            },
            other => other,
        },
        _ => by_itself.unwrap_or_else(|| without_record(ended, context)),
    }
}

/// Whether an exit code is that of a shell whose last command was ended by SIGTERM or SIGKILL: at a time limit Slurm
/// signals all processes of a job, and such a shell may exit before the signal reaches it, or the script.
pub(super) fn is_of_signal(code: i32) -> bool {
    code == 128 + TERM || code == 128 + KILL
}

/// Whether Slurm says that it has ended the job itself.
fn is_slurms_doing(how: Ending) -> bool {
    use Ending::{Cancelled, Deadline, NodeFailed, OutOfMemory, Preempted, Requeued, TimedOut};
    matches!(
        how,
        Cancelled(_) | Deadline | NodeFailed | OutOfMemory | Preempted | Requeued | TimedOut
    )
}

/// The script was told to end, and said so.
fn terminated(ended: &Ended, running: Duration, signal: i32, context: &Context) -> Outcome {
    match ended.how {
        // Slurm sees a script that ends with an exit code of its own, or is not heard of.
        Ending::Completed | Ending::Failed | Ending::Recorded | Ending::Lost => {
            match context.stop {
                Some(_) => stopped(context),
                None if context.out_of_memory => Outcome::OutOfMemory,
                None if was_at_limit(running, context) => timed_out(context),
                None if matches!(ended.how, Ending::Lost | Ending::Recorded) => {
                    let name = Outcome::signaled(signal);
                    let reason = format!("it was {name}, and Slurm does not know why any more");
                    Outcome::Lost { reason }
                }
                None => Outcome::signaled(signal),
            }
        }
        _ => without_record(ended, context),
    }
}

/// Whether a job that ran for so long may have been told to end for its time limit.
fn was_at_limit(running: Duration, context: &Context) -> bool {
    let earliest = match context.early_term {
        Duration::ZERO => Duration::ZERO,
        early => early + EARLIER,
    };
    context.time_limit.is_some_and(|limit| running + earliest >= limit)
}

/// What Slurm itself says, of a job that left no record.
fn without_record(ended: &Ended, context: &Context) -> Outcome {
    if never_began(ended, context) {
        return never_ran(ended);
    }
    let host = ended.info.as_ref().and_then(|info| info.host.as_deref()).unwrap_or("its node");
    match ended.how {
        Ending::OutOfMemory => Outcome::OutOfMemory,
        Ending::Failed | Ending::Completed | Ending::Cancelled(_) | Ending::Lost
            if context.out_of_memory =>
        {
            Outcome::OutOfMemory
        }
        // If a job is cancelled while it starts, Slurm may call it failed.
        Ending::Cancelled(_) | Ending::Failed | Ending::Lost | Ending::Requeued
            if context.stop.is_some() =>
        {
            stopped(context)
        }
        Ending::Cancelled(_) => Outcome::Cancelled,
        Ending::TimedOut => timed_out(context),
        Ending::Preempted => Outcome::Preempted,
        Ending::NodeFailed => Outcome::NodeFailed { reason: format!("{host} failed") },
        Ending::Requeued => {
            let reason = format!("Slurm took it from {host} back into its queue");
            Outcome::NodeFailed { reason }
        }
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
        Ending::Completed | Ending::Recorded => {
            let reason = format!("it ended on {host}, and the record of its end is not to be seen");
            Outcome::Lost { reason }
        }
        Ending::Revoked | Ending::Lost => {
            let reason = "it has left Slurm's queue, and no record of its end".to_owned();
            Outcome::Lost { reason }
        }
    }
}

/// Whether a job that Slurm gave a node, and says has ended there, has never begun: its start left no record. A Prolog
/// that fails has slurmd cancel the job, as root and without a signal to its script (`CANCELLED`, exit 0:0), or leaves
/// it to its time limit. Where the accounts say that this user cancelled it, that is so.
fn never_began(ended: &Ended, context: &Context) -> bool {
    let info = ended.info.as_ref();
    let had_node = info.is_some_and(|info| info.host.is_some());
    let signalled = info.and_then(|info| info.exit).is_some_and(|exit| exit.signal != 0);
    let by_others = match ended.how {
        // root is whoever slurmd is, too.
        Ending::Cancelled(Some(by)) => by == 0 || by != context.user,
        Ending::Cancelled(None) | Ending::TimedOut => true,
        _ => false,
    };
    let on_its_own = context.stop.is_none() && !context.out_of_memory && !ended.recorded;
    on_its_own && had_node && !context.began && by_others && !signalled
}

fn never_ran(ended: &Ended) -> Outcome {
    let host = ended.info.as_ref().and_then(|info| info.host.as_deref()).unwrap_or("its node");
    let reason = format!("{host} did not start it, as where Slurm's Prolog fails");
    Outcome::NodeFailed { reason }
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

#[cfg(test)]
mod tests;
