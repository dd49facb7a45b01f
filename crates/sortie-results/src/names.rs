//! What the files of a job are called.

/// Written by the evaluator: whether the candidate is correct.
pub(crate) const CORRECT: &str = "correct.json";
/// Written by the evaluator: the candidate's scores.
pub(crate) const METRICS: &str = "metrics.json";
/// The evaluator's standard output.
pub(crate) const STDOUT: &str = "job_log.out";
/// The evaluator's standard error.
pub(crate) const STDERR: &str = "job_log.err";
/// The record of the attempt.
pub(crate) const RECORD: &str = "job.json";
/// The batch script that the attempt was handed in with.
pub(crate) const SCRIPT: &str = "job_script.sh";
/// A batch script's record of its start.
pub(crate) const JOB_START: &str = "job_start.json";
/// A batch script's record of its end.
pub(crate) const JOB_END: &str = "job_end.json";
/// The directory in the results dir with what earlier attempts left behind.
pub(crate) const PREVIOUS: &str = "previous";
/// The directory in the state dir with the two result files as they were when the evaluator ended, where something of it
/// went on.
pub(crate) const AT_END: &str = "at_end";
/// Says which attempt has the results dir.
pub(crate) const LEASE: &str = "lease";

/// What an attempt leaves in its results dir, the record there being the user's copy; and what one of an earlier sortie
/// left, in the order in which it is moved away. First the note of a submission, which without
/// a record says that the attempt is still under way; then the record: while it is there, so is all that it is of.
pub(crate) const OF_RESULTS: [&str; 9] =
    [OLD.submitted, RECORD, CORRECT, METRICS, STDOUT, STDERR, SCRIPT, JOB_START, JOB_END];

/// What is called differently in a results dir that an earlier sortie has used.
pub(crate) struct Names {
    /// Says that the attempt was handed to a cluster.
    pub(crate) submitted: &'static str,
    /// Says which process sees to the job.
    pub(crate) keeper: &'static str,
    /// What that process says of it …
    pub(crate) note: &'static str,
    /// … and what it had to say where nobody was there to hear it.
    pub(crate) log: &'static str,
}

pub(crate) const NEW: Names = Names {
    submitted: "submitted.json",
    keeper: "keeper.lease",
    note: "keeper.json",
    log: "keeper.log",
};

pub(crate) const OLD: Names = Names {
    submitted: "job_submitted.json",
    keeper: "job_keeper.lease",
    note: "job_keeper.json",
    log: "job_keeper.log",
};
