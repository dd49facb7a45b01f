//! Ending a sweep.

use std::time::Duration;

use sortie_results::{Consent, Lease, Owner, Standing};

use super::{How, Wait, ask_holder, elsewhere, unknown};
use crate::failure::Failure;
use crate::forms::SweepState;
use crate::keeper::holder;
use crate::view::SweepView;

/// How far apart two requests are, so that they are not taken for one.
const BETWEEN: Duration = Duration::from_millis(500);

/// Has the sweep stopped by whoever sees to it: a second request leaves no grace period.
pub(super) fn ask(sweep: &SweepView, how: &How) -> Result<(), Failure> {
    let (dir, who) = (sweep.dir.path(), || sweep.who());
    let holder = match (holder(&sweep.standing), &sweep.standing) {
        (Some(holder), _) => holder,
        (None, Standing::Held(_)) => return Err(elsewhere(dir, &who())),
        (None, Standing::Unknown(_)) if how.consent == Consent::No => {
            return Err(unknown(dir, &who()));
        }
        (None, Standing::Unknown(_)) => {
            let lease = sweep.dir.lock_file();
            let taken = Lease::take(&lease, &Owner::this(None, Some("cancel")), how.consent);
            return taken.map(drop).map_err(|_| unknown(dir, &who()));
        }
        (None, Standing::Free | Standing::Gone(_)) => return Ok(()),
    };
    let holder = &holder;
    ask_holder(dir, holder)?;
    if how.now && !holder.ends_within(BETWEEN).unwrap_or(false) {
        ask_holder(dir, holder)?;
    }
    Ok(())
}

/// Whether it is over, after a while.
pub(super) fn is_over(sweep: &SweepView, wait: &Wait<'_>) -> Result<bool, Failure> {
    if sweep.state == SweepState::Unknown {
        return Err(unknown(sweep.dir.path(), &sweep.who()));
    }
    if sweep.state == SweepState::Running {
        wait.on(&sweep.who(), |time| sweep.rest(time))?;
        return Ok(false);
    }
    Ok(true)
}
