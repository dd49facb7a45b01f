//! The last moment: the runtime goes, and with it all tasks, while Slurm still has jobs.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use sortie_slurm::{Client, JobId, JobName};

use super::Cluster;

/// How long a runtime that is shut down is held up by Slurm.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held by the task that attends to the jobs. When that is dropped with jobs in flight, nobody would see to them
/// any more: unless they were left on purpose they are cancelled, by a runtime made for that; and they are reported as
/// lost.
pub(super) struct Leaving(pub(super) Weak<Cluster>);

impl Drop for Leaving {
    fn drop(&mut self) {
        // If it is gone, then so are the jobs.
        let Some(cluster) = self.0.upgrade() else { return };
        let (ids, names, flights) = cluster.flights().abandon();
        let left = cluster.left.load(Ordering::Relaxed);
        if !left && (!ids.is_empty() || !names.is_empty()) {
            let client = cluster.client.clone();
            let cancelling = thread::Builder::new()
                .name("sortie-leaving".into())
                .spawn(move || cancel(&client, &ids, &names));
            let cancelled = cancelling.is_ok_and(|thread| thread.join().is_ok_and(|done| done));
            if !cancelled {
                tracing::warn!("jobs may be left behind in Slurm's queue");
            }
        }
        drop(flights);
    }
}

/// Whether it is done.
fn cancel(client: &Client, ids: &[JobId], names: &[JobName]) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return false };
    let cancel = async {
        let mut done = client.cancel(ids).await.is_ok();
        for name in names {
            done &= client.cancel_named(name).await.is_ok();
        }
        done
    };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, cancel).await.unwrap_or(false) })
}
