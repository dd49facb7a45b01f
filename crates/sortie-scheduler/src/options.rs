//! How a scheduler goes about its jobs.

use std::ffi::OsString;

use sortie_process::Supervisor;
use sortie_results::Consent;

/// How a scheduler goes about its jobs, whatever their kind.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Whether each job's start and end are traced as information (`tracing::info!`), not only for
    /// debugging.
    pub verbose: bool,
    /// How many local jobs run at once, at most; further ones are queued. At least 1. Fewer run where each has GPUs or CPUs to
    /// itself and there are not enough.
    pub max_workers: usize,
    /// What keeps the processes of local jobs. Schedulers that are given clones of one share its
    /// helper processes.
    pub supervisor: Supervisor,
    /// What jobs, and the commands of Slurm, take for the launcher's environment; by default that of this
    /// process, as it is when the scheduler is made.
    pub env: Option<Vec<(OsString, OsString)>>,
    /// Whether a results dir is taken from an attempt of which cannot be told from here whether it still runs, such as one of
    /// another machine where the file system has no locks. Only the user can know that it does not.
    pub consent: Consent,
    /// How many bytes of results are kept in memory, of the jobs that ended last, for
    /// [`JobScheduler::take`](crate::JobScheduler::take); 0 by default. Those of one job are at most a 64th of it.
    pub recent_bytes: usize,
}

/// As in the Launch API: not verbose, 4 workers. No results in memory.
impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            verbose: false,
            max_workers: 4,
            supervisor: Supervisor::new(),
            env: None,
            consent: Consent::No,
            recent_bytes: 0,
        }
    }
}
