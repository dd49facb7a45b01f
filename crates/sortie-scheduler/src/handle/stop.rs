//! Having a job ended by whoever sees to it.

use std::time::{Duration, Instant};

use sortie_process::Holder;
use sortie_results::{Consent, JobState, Lease, Owner, OwnerDir};

use super::{HandleError, JobHandle};

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
    let orphaned = || Err(HandleError::Orphaned { dir: job.dir.clone() });
    match (view.process(), view.in_use(), view.state()) {
        (_, _, JobState::Finished | JobState::Lost) => Ok(()),
        (_, _, JobState::Orphaned) => orphaned(),
        (Some(process), _, state) => ask_twice(job, &process, state, how),
        (None, Some(in_use), _) if view.is_kept() => Err(HandleError::Elsewhere(in_use)),
        (None, Some(in_use), JobState::Unknown) if consent == Consent::No => {
            Err(HandleError::InUse(in_use))
        }
        (None, _, JobState::Unknown) if view.submitted().is_some() => orphaned(),
        (None, _, JobState::Unknown) => take_over(job, consent),
        (None, _, _) => match view.sweep() {
            Some(sweep) => {
                let (dir, sweep) = (job.dir.clone(), sweep.to_owned());
                Err(HandleError::OfSweep { dir, sweep })
            }
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
    let Ok(dir) = OwnerDir::open(&job.dir) else { return Ok(()) };
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
        let left = until.saturating_duration_since(Instant::now());
        match view.in_use() {
            Some(in_use) if view.state() == JobState::Running && !view.is_kept() => {
                if left.is_zero() {
                    return Err(HandleError::OtherProgram(in_use));
                }
            }
            _ => return Ok(()),
        }
        view.pause(left);
    }
}
