//! The process that has a lease, where that can be reached from here.

use std::thread;
use std::time::Duration;

use sortie_process::Holder;
use sortie_results::Standing;

/// How often it is looked whether something has changed that no event tells of.
const LOOK: Duration = Duration::from_millis(250);
/// How long a single wait for a process may be: it may be done with the job before it ends, if nobody reads what it prints.
const WAIT: Duration = Duration::from_secs(2);

/// The process that has a lease, where that can be reached from here.
pub fn holder(standing: &Standing) -> Option<Holder> {
    match standing {
        Standing::Held(Some(owner)) if owner.is_here() => {
            let found = Holder::find(owner.pid, owner.started?);
            found.inspect_err(|error| tracing::warn!("cannot look for {owner}: {error}")).ok()?
        }
        _ => None,
    }
}

/// Waits until the process that has something has ended or, where there is no telling, for a moment; and for so long at most.
pub fn pause(holder: Option<&Holder>, most: Duration) {
    match holder {
        Some(holder) if holder.ends_within(most.min(WAIT)).is_ok() => {}
        _ => thread::sleep(most.min(LOOK)),
    }
}
