//! Where a job is, as its results dir says.

use schemars::JsonSchema;
use serde::Serialize;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "State")]
pub enum JobState {
    /// It waits: for its start, in the cluster's queue, or for another attempt.
    Queued,
    /// Its attempt is under way.
    Running,
    /// It is being stopped.
    Stopping,
    /// It is over, and recorded.
    Finished,
    /// The cluster has it, or had, and nobody sees to it: `sortie attach` takes it up again.
    Orphaned,
    /// Whoever saw to it ended without a record, and so did the job.
    Lost,
    /// It cannot be told from here whether whoever saw to it is still there, as on another machine where the file system has
    /// no locks.
    Unknown,
}

impl JobState {
    /// Whether nothing comes after it, as far as anybody can know: it is finished or lost.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Lost)
    }
}
