//! Ending a sweep.

use std::time::Duration;

use sortie_process::Holder;
use sortie_results::{Consent, Lease, Owner};
use sortie_scheduler::{HandleError, holder};

use super::{How, Wait};
use crate::failure::Failure;
use crate::forms::SweepState;
use crate::view::SweepView;

/// How far apart two requests are, so that they are not taken for one.
const BETWEEN: Duration = Duration::from_millis(500);

/// Has the sweep stopped by whoever sees to it: a second request leaves no grace period.
pub(super) fn ask(sweep: &SweepView, how: &How) -> Result<(), Failure> {
    let in_use = sweep.standing.in_use(sweep.dir.path());
    let holder = match (holder(&sweep.standing), in_use) {
        (Some(holder), _) => holder,
        (None, None) => return Ok(()),
        (None, Some(in_use)) if in_use.certain => {
            return Err(HandleError::Elsewhere(in_use).into());
        }
        (None, Some(in_use)) if how.consent == Consent::No => {
            return Err(HandleError::InUse(in_use).into());
        }
        (None, Some(in_use)) => {
            let lease = sweep.dir.lock_file();
            let taken = Lease::take(&lease, &Owner::this(None, Some("cancel")), how.consent);
            return taken.map(drop).map_err(|_| HandleError::InUse(in_use).into());
        }
    };
    ask_launcher(sweep, &holder)?;
    if how.now && !holder.ends_within(BETWEEN).unwrap_or(false) {
        ask_launcher(sweep, &holder)?;
    }
    Ok(())
}

fn ask_launcher(sweep: &SweepView, launcher: &Holder) -> Result<(), Failure> {
    let (dir, pid) = (sweep.dir.path().to_owned(), launcher.pid());
    let asked = launcher.ask_to_end().map(drop);
    asked.map_err(|cause| HandleError::NotAsked { dir, pid, cause }.into())
}

/// Whether it is over, after a while.
pub(super) fn is_over(sweep: &SweepView, wait: &Wait<'_>) -> Result<bool, Failure> {
    match (sweep.state, sweep.standing.in_use(sweep.dir.path())) {
        (SweepState::Unknown, Some(in_use)) => return Err(HandleError::InUse(in_use).into()),
        (SweepState::Running, _) => wait.on(&sweep.who(), |time| sweep.pause(time))?,
        _ => return Ok(true),
    }
    Ok(false)
}
