//! The seam between watching jobs and asking Slurm about them.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::{Error, JobId, JobInfo, Jobs};

/// Whom a [`Watcher`](crate::Watcher) asks about jobs: [`Client`](crate::Client), or a fake in a
/// test.
///
/// An error is no answer, and is never taken for one.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// All jobs of this user that the controller remembers, those that are over among them.
    async fn queue(&self) -> Result<Jobs, Error>;

    /// What the accounts tell of these jobs, none of which was submitted before `since`. A job may
    /// be missing because its account is still being written. [`Error::NoAccounting`] where no
    /// accounts are kept.
    async fn accounting(&self, ids: &[JobId], since: SystemTime) -> Result<Jobs, Error>;

    /// What the controller remembers of one job; `None` if it does not know it, or not any more.
    async fn show(&self, id: &JobId) -> Result<Option<JobInfo>, Error>;

    /// For how long the controller remembers a job that is over; `None` if it does for ever, or does not say.
    async fn memory(&self) -> Option<Memory>;
}

/// How jobs that are over are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// For so long one is in [`queue`](Cluster::queue), at least.
    pub after: Duration,
    /// Whether it is in the accounts after that, or nowhere.
    pub accounts: bool,
}
