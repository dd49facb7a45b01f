//! What the end of a command means for the attempt.

use std::fs::File;
use std::io;

use sortie_process::{Exit, Limits, RunError, SpawnError, Status, Stopped};
use sortie_results::{Fault, LogTail, Outcome, Start, Usage};

use crate::said::{LAST_WORDS, of_set_up};

/// The outcome of a command that ran. `activates` says what a shell set up first, if anything, and
/// `stderr` is where it said what went wrong.
pub(super) fn of_exit(
    exit: &Exit,
    limits: &Limits,
    activates: Option<&str>,
    stderr: &File,
) -> Outcome {
    let limit_seconds = limits.time.unwrap_or_default().as_secs_f64();
    match (exit.stopped, exit.status) {
        (Some(Stopped::Asked), _) => Outcome::Cancelled,
        // Whatever it was, the evaluator has not been run, nor the candidate.
        (stopped, status) if !exit.ready => {
            let how = match (stopped, status) {
                (Some(Stopped::TimeLimit), _) => format!("the time limit of {limit_seconds} s"),
                (Some(_), _) => format!("a log beyond {} bytes", limits.log_bytes),
                (None, Status::Exited(code)) => format!("exit code {code}"),
                (None, Status::Signaled(signal)) => format!("signal {signal}"),
            };
            set_up_failed(activates.unwrap_or("the environment"), &how, stderr)
        }
        (Some(Stopped::TimeLimit), _) => Outcome::TimedOut { limit_seconds },
        (Some(Stopped::LogLimit), _) => Outcome::OutputLimit { limit_bytes: limits.log_bytes },
        (None, _) if exit.out_of_memory => Outcome::OutOfMemory,
        (None, Status::Exited(code)) => Outcome::Exited { code },
        (None, Status::Signaled(signal)) => Outcome::signaled(signal),
    }
}

fn set_up_failed(what: &str, how: &str, stderr: &File) -> Outcome {
    let log = LogTail::read(stderr, LAST_WORDS).map(|tail| tail.text()).unwrap_or_default();
    let reason = format!("activating {what} ended with {how}{}", of_set_up(&log));
    Outcome::SetupFailed { reason, fault: Fault::Setup }
}

/// The outcome of a command that the supervisor could not run, or lost.
pub(super) fn of_run_error(error: &RunError) -> Outcome {
    let reason = error.to_string();
    match error {
        RunError::NotStarted { cause, .. } => {
            Outcome::NotStarted { reason, fault: fault_of(cause) }
        }
        RunError::Lost { .. } => Outcome::Lost { reason },
    }
}

/// The outcome of a command that could not be handed over.
pub(super) fn of_spawn_error(error: &SpawnError) -> Outcome {
    let fault = match error {
        SpawnError::Nul(_) | SpawnError::NoHelper => Fault::Setup,
        SpawnError::Helper { cause, .. } => fault_of(cause),
        SpawnError::HandOver { .. } => Fault::Infrastructure,
    };
    Outcome::NotStarted { reason: error.to_string(), fault }
}

/// Whose fault it is that a program cannot be executed: set-up, if another program, other rights or
/// fewer arguments would help; otherwise the machine's, which ran out of something.
fn fault_of(error: &io::Error) -> Fault {
    use io::ErrorKind::{
        ArgumentListTooLong, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    let not_a_program = error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error());
    match error.kind() {
        NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput
        | ArgumentListTooLong => Fault::Setup,
        _ if not_a_program => Fault::Setup,
        _ => Fault::Infrastructure,
    }
}

pub(super) fn start(of: &sortie_process::Start) -> Start {
    match of {
        sortie_process::Start::Cold => Start::Cold,
        sortie_process::Start::Warm => Start::Warm,
        sortie_process::Start::Fresh => Start::Fresh,
        sortie_process::Start::Fallback { reason } => Start::Fallback { reason: reason.clone() },
    }
}

pub(super) fn usage(of: &sortie_process::Usage) -> Usage {
    Usage {
        cpu_user_seconds: of.user.as_secs_f64(),
        cpu_system_seconds: of.system.as_secs_f64(),
        peak_memory_bytes: of.peak_memory,
    }
}
