//! Slurm's error messages, and what each means for what to do next.
//!
//! Slurm's commands exit with 1 whatever went wrong; only the text tells. The texts below are those
//! of Slurm 22.05 to 25.05 (`slurm_errno.c`, and the commands' own), `strerror(3)` and munge's.

use crate::Advice;

/// What stands in the way passes when other jobs end: the user's or the cluster's queue is full.
/// Reasons are printed on a line of their own, before the general "Job violates accounting/QOS
/// policy", which says the same of limits that no waiting can help with.
const FULL: &[&str] = &[
    "SubmitJobPerUserLimit",    // QOSMaxSubmitJobPerUserLimit
    "SubmitJobPerAccountLimit", // QOSMaxSubmitJobPerAccountLimit
    "SubmitJobLimit",           // AssocMaxSubmitJobLimit
    "SubmitJobsLimit",          // AssocGrpSubmitJobsLimit, QOSGrpSubmitJobsLimit
    "MaxJobCount limit reached",
    // What sbatch says meanwhile, as it tries again by itself …
    "Slurm temporarily unable to accept job",
    "Slurm job queue full",
    "Job creation temporarily disabled",
    // … and what it says in the end: ESLURM_MAX_JOB_COUNT before 24.05, and EAGAIN.
    "Unable to create job record, try again",
    "Resource temporarily unavailable",
    // Of job_submit plugins.
    "Submission rate too high",
];

/// What stands in the way passes by itself, in seconds to minutes.
const TRANSIENT: &[&str] = &[
    "Unable to contact slurm controller",
    "Socket timed out",
    "Communication connection failure",
    "Communication shutdown failure",
    "Message send failure",
    "Message receive failure",
    "Zero Bytes were transmitted or received",
    "Header lengths are longer than data received",
    "Unexpected missing socket error",
    "Unexpected message received",
    "Rate limit exceeded",
    "Process is shutting down",
    "Connection forced closed",
    "standby mode",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Connection rejected",
    "Broken pipe",
    "No route to host",
    "Network is unreachable",
    "Transport endpoint is not connected",
    "Temporary failure in name resolution",
    "Stale file handle",
    "Interrupted system call",
    "Problem talking to the database",
    "Problem talking to database",
    "Munge encode failed",
    "Munge decode failed",
    "Failed to connect to authentication agent",
    "Protocol authentication error",
    "Invalid authentication credential",
    "Authentication credential invalid",
    "authentication error",
    "I/O error writing script/environment to file",
    "Requested operation is presently disabled",
    "Currently unable to load job state information",
];

/// No controller could be connected to, so that none has received the request: an error of a
/// request that was sent has other words (`slurm_send_recv_controller_msg`).
pub(crate) const UNSENT: &str = "(connect failure)";
/// Slurm's answer about a job that the controller does not remember.
pub(crate) const NO_SUCH_JOB: &str = "Invalid job id";

/// The same about an element of an array that it does remember: scontrol's own words, on standard output until 24.11
/// and on standard error in 26.05.
pub(crate) fn no_such_element(local_id: &str) -> String {
    format!("Job {local_id} not found")
}

/// What scancel says of a job that is over.
pub(crate) const ALREADY_OVER: &str = "already completing or completed";
/// What sacct says where nothing keeps accounts.
pub(crate) const NO_ACCOUNTING: &str = "accounting storage is disabled";

/// What to do about a command that failed with these words.
pub(crate) fn advice(words: &str) -> Advice {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| contains(words, phrase));
    if says(TRANSIENT) {
        Advice::Retry
    } else if says(FULL) {
        Advice::Wait
    } else {
        Advice::Report
    }
}

pub(crate) fn contains(words: &str, phrase: &str) -> bool {
    words.to_ascii_lowercase().contains(&phrase.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "sbatch: error: Batch job submission failed: Job violates accounting/QOS \
                          policy (job submit limit, user's size and/or time limits)";

    #[test]
    fn words_seen_in_the_field_are_understood() {
        use Advice::{Report, Retry, Wait};
        for (words, expected) in [
            (
                "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
                Retry,
            ),
            ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", Retry),
            ("sbatch: error: Batch job submission failed: Protocol authentication error", Retry),
            ("sacct: error: Problem talking to the database: Connection refused", Retry),
            (
                "sbatch: error: Batch job submission failed: Rate limit exceeded, please retry later",
                Retry,
            ),
            ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", Wait),
            (&format!("sbatch: error: QOSMaxSubmitJobPerUserLimit\n{POLICY}"), Wait),
            (&format!("sbatch: error: AssocMaxSubmitJobLimit\n{POLICY}"), Wait),
            (&format!("sbatch: error: qosgrpsubmitjobslimit\n{POLICY}"), Wait),
            (&format!("sbatch: error: QOSMaxWallDurationPerJobLimit\n{POLICY}"), Report),
            (POLICY, Report),
            (
                "sbatch: error: Batch job submission failed: Invalid partition name specified",
                Report,
            ),
            ("sbatch: error: Batch job submission failed: Invalid qos specification", Report),
            ("sbatch: error: Batch job submission failed: Invalid job array specification", Report),
            ("sbatch: error: Invalid generic resource (gres) specification", Report),
            ("sbatch: fatal: Could not establish a configuration source", Report),
            ("", Report),
        ] {
            assert_eq!(advice(words), expected, "{words}");
        }
    }
}
