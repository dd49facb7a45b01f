//! All jobs watched by one task: records looked for often, the queue listed for all at once, and
//! the rest asked only for those that need it.

mod looks;
mod task;

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{Cluster, Evidence, JobId, Pace, Patience, Update};
use task::Task;

/// Looks for what a job has left behind. Called often, on a thread where it may block; one that does not answer holds up no
/// other job.
pub type Look = Arc<dyn Fn() -> Evidence + Send + Sync>;

/// A job to be watched.
#[derive(Clone)]
pub struct Tracked {
    /// The job.
    pub id: JobId,
    /// When it was submitted, or earlier.
    pub submitted: SystemTime,
    /// Looks for its record.
    pub look: Look,
}

/// News of a watched job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The job.
    pub id: JobId,
    /// The news. After [`Update::Ended`] the job is watched no longer.
    pub update: Update,
}

/// Watches jobs for as long as it, or a clone of it, is there.
#[derive(Debug, Clone)]
pub struct Watcher {
    orders: UnboundedSender<Order>,
}

enum Order {
    Track(Tracked),
    Forget(JobId),
    Cancelled(Vec<JobId>),
    Hurry,
}

impl Watcher {
    /// Starts a task that watches jobs. Has to be called within a tokio runtime with time enabled.
    /// The reports come in the order in which things were seen.
    pub fn start(
        cluster: Arc<dyn Cluster>,
        pace: Pace,
        patience: Patience,
    ) -> (Self, UnboundedReceiver<Report>) {
        let (orders, orders_here) = unbounded_channel();
        let (reports_here, reports) = unbounded_channel();
        let task = Task::new(cluster, pace, patience, orders_here, reports_here);
        drop(tokio::spawn(task.run()));
        (Self { orders }, reports)
    }

    /// Watches a job from now on.
    pub fn track(&self, job: Tracked) {
        self.order(Order::Track(job));
    }

    /// Watches a job no longer; no report of it is made that has not been made already.
    pub fn forget(&self, id: JobId) {
        self.order(Order::Forget(id));
    }

    /// Takes in that jobs were cancelled, and lists the queue soon.
    pub fn cancelled(&self, ids: Vec<JobId>) {
        self.order(Order::Cancelled(ids));
    }

    /// Lists the queue soon, as there may be news.
    pub fn hurry(&self) {
        self.order(Order::Hurry);
    }

    fn order(&self, order: Order) {
        // The task is there for as long as anyone takes the reports.
        let _ = self.orders.send(order);
    }
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Track(_) => "Track",
            Self::Forget(_) => "Forget",
            Self::Cancelled(_) => "Cancelled",
            Self::Hurry => "Hurry",
        })
    }
}

impl std::fmt::Debug for Tracked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, submitted, .. } = self;
        f.debug_struct("Tracked")
            .field("id", id)
            .field("submitted", submitted)
            .finish_non_exhaustive()
    }
}
