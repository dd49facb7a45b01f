//! What the files of a results dir are called.

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
/// Says that the attempt was handed to a cluster.
pub(crate) const SUBMITTED: &str = "job_submitted.json";
/// The batch script that the attempt was handed in with.
pub(crate) const SCRIPT: &str = "job_script.sh";
/// A batch script's record of its start.
pub(crate) const JOB_START: &str = "job_start.json";
/// A batch script's record of its end.
pub(crate) const JOB_END: &str = "job_end.json";
/// The directory with what earlier attempts left behind.
pub(crate) const PREVIOUS: &str = "previous";

/// All that an attempt leaves behind, in the order in which it is moved away. First the note of a submission, which without
/// a record says that the attempt is still under way; then the record: while it is there, so is all that it is of.
pub(crate) const OF_AN_ATTEMPT: [&str; 9] =
    [SUBMITTED, RECORD, CORRECT, METRICS, STDOUT, STDERR, SCRIPT, JOB_START, JOB_END];
