//! What is seen of a job, what is to be asked, and the news in it: the words of a
//! [`Machine`](crate::Machine).

use std::time::Duration;

use crate::{Ending, JobInfo};

/// What a job has left behind, as far as one can see without asking Slurm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing that says that it is over.
    None,
    /// A record of its end that tells all there is to know.
    Complete,
    /// A record of its end to which Slurm may add why: say, that it was told to end, but not by
    /// whom.
    NeedsState,
}

/// How long to wait for what may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the record of a job that Slurm says is over: networked file systems show a new file up
    /// to a minute late (nfs(5), `acdirmax`).
    pub late_files: Duration,
    /// For the account of a job that has left the queue: accounting lags behind.
    pub late_accounts: Duration,
    /// For accounting to answer at all, or to hear itself of the job's end.
    pub silent_accounts: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            late_files: Duration::from_secs(60),
            late_accounts: Duration::from_secs(5 * 60),
            silent_accounts: Duration::from_secs(3600),
        }
    }
}

/// News of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// It waits, with this reason; told again when the reason changes.
    Pending(JobInfo),
    /// It has started.
    Started(JobInfo),
    /// It is over. The last news of a job, and told once.
    Ended(Ended),
}

/// How a job ended, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub how: Ending,
    /// Whether the job has left a record of its end.
    pub recorded: bool,
    /// What Slurm told of it, from all sources together; `None` if it was never asked or never
    /// knew.
    pub info: Option<JobInfo>,
}

/// What a machine wants asked about its job alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The accounts.
    Accounts,
    /// The controller: `scontrol show job`.
    Show,
}

/// What was seen of a job. A command that failed has seen nothing.
#[derive(Debug, Clone)]
pub enum Observation {
    /// What it has left behind.
    Evidence(Evidence),
    /// The queue was listed, and it was in it, or was not.
    Queue(Option<JobInfo>),
    /// The accounts were looked through, and it was in them, or was not.
    Accounts(Option<JobInfo>),
    /// There are no accounts here.
    NoAccounts,
    /// The controller was asked for it, and knew it, or did not.
    Shown(Option<JobInfo>),
}
