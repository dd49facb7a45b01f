//! What the files of a job are called, and what marks its processes.

/// Written by the evaluator: whether the candidate is correct.
pub const CORRECT: &str = "correct.json";
/// Written by the evaluator: the candidate's scores.
pub const METRICS: &str = "metrics.json";
/// The evaluator's standard output.
pub const STDOUT: &str = "job_log.out";
/// The evaluator's standard error.
pub const STDERR: &str = "job_log.err";
/// The record of the attempt.
pub const RECORD: &str = "job.json";
/// The batch script that the attempt was handed in with.
pub const SCRIPT: &str = "job_script.sh";
/// A batch script's record of its start.
pub const JOB_START: &str = "job_start.json";
/// A batch script's record of its end.
pub const JOB_END: &str = "job_end.json";
/// The directory in the results dir with what earlier attempts left behind.
pub const PREVIOUS: &str = "previous";
/// The directory in the state dir with the two result files as they were when the evaluator ended, where something of it
/// went on.
pub const AT_END: &str = "at_end";
/// Says which attempt has the results dir.
pub const LEASE: &str = "lease";

/// The directory beside results dirs that holds their state dirs …
pub const BESIDE: &str = ".sortie";
/// … and the state dir of a results dir that nothing can be made beside.
pub const WITHIN: &str = ".sortie-state";

/// The variable that tells a process which attempt it is of. What an evaluator leaves behind is found by it.
pub const ATTEMPT: &str = "SORTIE_ATTEMPT";

/// The files that an attempt leaves in its results dir, of this sortie or an earlier one, in the order in which they are
/// moved away. (The record is the user's copy.) The note of a submission is the first, as without a record it says that the
/// attempt is still under way. The record is the second: while it is there, the files that it describes are there, too.
pub const OF_RESULTS: [&str; 9] =
    [OLD.submitted, RECORD, CORRECT, METRICS, STDOUT, STDERR, SCRIPT, JOB_START, JOB_END];

/// What is called differently in a results dir that an earlier sortie has used.
#[derive(Debug)]
pub struct Names {
    /// Says that the attempt was handed to a cluster.
    pub submitted: &'static str,
    /// Says which process sees to the job.
    pub owner: &'static str,
    /// What that process says of it …
    pub note: &'static str,
    /// … and what it had to say where nobody was there to hear it.
    pub log: &'static str,
}

/// What they are called now …
pub const NEW: Names = Names {
    submitted: "submitted.json",
    owner: "keeper.lease",
    note: "keeper.json",
    log: "keeper.log",
};

/// … and what they were called.
pub const OLD: Names = Names {
    submitted: "job_submitted.json",
    owner: "job_keeper.lease",
    note: "job_keeper.json",
    log: "job_keeper.log",
};
