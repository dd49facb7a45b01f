//! Having a job ended by whoever sees to it.

use std::time::{Duration, Instant};

use sortie_process::Holder;
use sortie_results::{Consent, JobState, KeeperDir, Lease, Owner};

use super::{HandleError, JobHandle, JobView};

/// How long a launcher may take to note that it was asked, before it is asked again.
const TO_NOTE: Duration = Duration::from_secs(5);
/// How long what a killed launcher has left may take to end.
const TO_END: Duration = Duration::from_secs(5);

/// How a job is to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// With its grace period.
    Gently,
    /// Without.
    AtOnce,
}

/// Asks whoever sees to the job to end it.
pub(super) fn stop(job: &JobHandle, how: Stop, consent: Consent) -> Result<(), HandleError> {
    let view = job.status()?;
    let dir = || job.dir.clone();
    let owner = || view.owner().cloned().map(Box::new);
    match (view.process(), view.state()) {
        (Some(process), state) => ask_twice(job, &process, state, how),
        (None, _) if view.is_kept() => Err(HandleError::Elsewhere { dir: dir(), owner: owner() }),
        (None, JobState::Orphaned) => Err(HandleError::Orphaned { dir: dir() }),
        (None, JobState::Unknown) if consent == Consent::No => {
            Err(HandleError::Unknown { dir: dir(), owner: owner() })
        }
        (None, JobState::Unknown) if view.submitted().is_some() => {
            Err(HandleError::Orphaned { dir: dir() })
        }
        (None, JobState::Unknown) => take_over(job, consent),
        (None, JobState::Finished | JobState::Lost) => Ok(()),
        (None, _) => match view.sweep() {
            Some(sweep) => Err(HandleError::OfSweep { dir: dir(), sweep: sweep.to_owned() }),
            None => let_end(job),
        },
    }
}

/// Asks once for a gentle end, and once more for one without grace; never more often than that.
fn ask_twice(
    job: &JobHandle,
    launcher: &Holder,
    state: JobState,
    how: Stop,
) -> Result<(), HandleError> {
    if state != JobState::Stopping {
        ask(job, launcher)?;
    }
    if how == Stop::Gently {
        return Ok(());
    }
    // Signals that come too soon after one another become one.
    let until = Instant::now() + TO_NOTE;
    while Instant::now() < until && job.status()?.state() != JobState::Stopping {
        if launcher.ends_within(Duration::from_millis(10)).unwrap_or(false) {
            return Ok(());
        }
    }
    ask(job, launcher)
}

fn ask(job: &JobHandle, launcher: &Holder) -> Result<(), HandleError> {
    let asked = launcher.ask_to_end().map(drop);
    asked.map_err(|cause| HandleError::NotAsked {
        dir: job.dir.clone(),
        pid: launcher.pid(),
        cause,
    })
}

/// Takes a job from an owner that is gone, as the user says: it was lost with it.
fn take_over(job: &JobHandle, consent: Consent) -> Result<(), HandleError> {
    let Ok(dir) = KeeperDir::open(&job.dir) else { return Ok(()) };
    for lease in [dir.lease(), dir.claim()] {
        let taken = Lease::take(&lease, &Owner::this(None, Some("cancel")), consent);
        taken.map_err(|cause| HandleError::NotTaken { dir: job.dir.clone(), cause })?;
    }
    Ok(())
}

/// Gives what a killed launcher has left the time to end.
fn let_end(job: &JobHandle) -> Result<(), HandleError> {
    let until = Instant::now() + TO_END;
    loop {
        let view = job.status()?;
        let is_there = view.state() == JobState::Running && !view.is_kept();
        let left = until.saturating_duration_since(Instant::now());
        if !is_there {
            return Ok(());
        }
        if left.is_zero() {
            return Err(other_program(&view));
        }
        view.pause(left);
    }
}

fn other_program(view: &JobView) -> HandleError {
    let owner = view.owner().cloned().map(Box::new);
    HandleError::OtherProgram { dir: view.dir().to_owned(), owner }
}
