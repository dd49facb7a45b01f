//! Ending a sweep.

use std::time::Duration;

use sortie_process::Holder;
use sortie_results::{Consent, Lease, Owner, Standing};
use sortie_scheduler::{HandleError, holder};

use super::{How, Wait};
use crate::failure::Failure;
use crate::forms::SweepState;
use crate::view::SweepView;

/// How far apart two requests are, so that they are not taken for one.
const BETWEEN: Duration = Duration::from_millis(500);

/// Has the sweep stopped by whoever sees to it: a second request leaves no grace period.
pub(super) fn ask(sweep: &SweepView, how: &How) -> Result<(), Failure> {
    let holder = match (holder(&sweep.standing), &sweep.standing) {
        (Some(holder), _) => holder,
        (None, Standing::Held(owner)) => {
            let (dir, owner) = (sweep.dir.path().to_owned(), owner.clone());
            return Err(HandleError::Elsewhere { dir, owner }.into());
        }
        (None, Standing::Unknown(_)) if how.consent == Consent::No => return Err(unknown(sweep)),
        (None, Standing::Unknown(_)) => {
            let lease = sweep.dir.lock_file();
            let taken = Lease::take(&lease, &Owner::this(None, Some("cancel")), how.consent);
            return taken.map(drop).map_err(|_| unknown(sweep));
        }
        (None, Standing::Free | Standing::Gone(_)) => return Ok(()),
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

/// That nobody can say from here whether it is still under way.
fn unknown(sweep: &SweepView) -> Failure {
    let owner = sweep.standing.owner().cloned().map(Box::new);
    HandleError::Unknown { dir: sweep.dir.path().to_owned(), owner }.into()
}

/// Whether it is over, after a while.
pub(super) fn is_over(sweep: &SweepView, wait: &Wait<'_>) -> Result<bool, Failure> {
    if sweep.state == SweepState::Unknown {
        return Err(unknown(sweep));
    }
    if sweep.state == SweepState::Running {
        wait.on(&sweep.who(), |time| sweep.pause(time))?;
        return Ok(false);
    }
    Ok(true)
}
