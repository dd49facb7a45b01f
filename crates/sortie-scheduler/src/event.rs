//! What happens to jobs, for those who watch.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::{Finished, JobId};

/// How many events an observer may be behind before it misses some.
pub(crate) const CAPACITY: usize = 4096;

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub enum Event {
    /// It was accepted, and is queued.
    Submitted {
        /// Which.
        job: JobId,
        /// Its results dir, as given.
        results_dir: Arc<Path>,
    },
    /// It waits in the cluster's queue, or for another attempt.
    Pending {
        /// Which.
        job: JobId,
        /// Why.
        reason: Arc<str>,
    },
    /// Its attempt is under way.
    Started {
        /// Which.
        job: JobId,
    },
    /// It is over.
    Finished {
        /// Which.
        job: JobId,
        /// How it went.
        finished: Arc<Finished>,
    },
    /// The observer was too slow: so many events are lost to it.
    Missed(u64),
}

/// The events of a scheduler from the moment of subscribing, in order. A slow observer never holds
/// up a job: it misses the oldest, and is told so.
#[derive(Debug)]
pub struct Events(pub(crate) Receiver<Event>);

impl Events {
    /// The next event; `None` when the scheduler is gone and all its jobs are over.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(Event::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
