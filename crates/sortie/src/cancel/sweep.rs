//! Ending a sweep.

use std::time::Duration;

use sortie_process::Held;

use super::{Wait, ask_holder, elsewhere};
use crate::failure::Failure;
use crate::forms::SweepState;
use crate::view::SweepView;

/// How far apart two requests are, so that they are not taken for one.
const BETWEEN: Duration = Duration::from_millis(500);

/// Has the sweep stopped by whoever sees to it: a second request leaves no grace period.
pub(super) fn ask(sweep: &SweepView, now: bool) -> Result<(), Failure> {
    let holder = match &sweep.held {
        Held::Free => return Ok(()),
        Held::Elsewhere => return Err(elsewhere(sweep.dir.path(), &sweep.who())),
        Held::By(holder) => holder,
    };
    ask_holder(sweep.dir.path(), holder)?;
    if now && !holder.ends_within(BETWEEN).unwrap_or(false) {
        ask_holder(sweep.dir.path(), holder)?;
    }
    Ok(())
}

/// Whether it is over, after a while.
pub(super) fn is_over(sweep: &SweepView, wait: &Wait<'_>) -> Result<bool, Failure> {
    if sweep.state == SweepState::Running {
        wait.on(&sweep.who(), |time| sweep.rest(time))?;
        return Ok(false);
    }
    Ok(true)
}
