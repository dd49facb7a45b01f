//! An array that Slurm has no room for: users and accounts may have so many jobs submitted, a cluster so many at all.

use std::sync::Arc;
use std::time::Duration;

use sortie_slurm::Submission;
use tokio::time::{Instant, timeout_at};

use super::Cluster;
use super::flight::Flight;
use super::turn::all_cancelled;

/// For so long an array that has found the queue full waits for room as a whole.
const WHOLE: Duration = Duration::from_secs(5 * 60);
/// How often it is asked meanwhile whether there is some.
const LOOK: Duration = Duration::from_secs(15);

/// How many of the jobs Slurm would take. All of them, or fewer where that is known at once: then a limit is below the array's size,
/// and no waiting helps. Where there is room for none, waits for it; `None` if there is none until then, or all are to be stopped.
pub(super) async fn wait_for_room(
    cluster: &Cluster,
    submission: &Submission,
    flights: &[Flight],
    until: Instant,
) -> Option<usize> {
    let all = flights.len();
    let mut full_since = None;
    while Instant::now() < until {
        let room = match cluster.client.room_for(&submission.script, all).await {
            Ok(room) => room,
            Err(error) => {
                tracing::debug!(%error, "it is not known how many jobs there is room for");
                return Some(all / 2);
            }
        };
        let waits = full_since.is_some_and(|since: Instant| since.elapsed() < WHOLE);
        if room == all || room > 0 && !waits {
            return Some(room);
        }
        if full_since.is_none() {
            full_since = Some(Instant::now());
            tell(flights);
        }
        if timeout_at(Instant::now() + LOOK, all_cancelled(cluster, flights)).await.is_ok() {
            return None;
        }
    }
    None
}

fn tell(flights: &[Flight]) {
    let reason: Arc<str> = "Slurm takes no more jobs of this user or account for now".into();
    for flight in flights {
        flight.job.reporter.pending(reason.clone());
    }
}
