//! What the files of a sweep's directory are called.

/// What was asked for, what was begun, what is done; and the lease of the launcher that sees to the sweep.
pub(crate) use sortie_results::{LEDGER, SWEEP_LEASE as LOCK};

/// A line for each candidate that is done.
pub(crate) const RESULTS: &str = "results.jsonl";
/// What is to take its place: the same without some lines.
pub(crate) const NEW_RESULTS: &str = "results.jsonl.new";
/// The settings of its jobs.
pub(crate) const SETTINGS: &str = "settings.yaml";
/// What a launcher without a terminal had to say.
pub(crate) const LOG: &str = "sweep.log";
/// The report of a sweep, if one is written.
const REPORT: &str = "report.html";

/// What no candidate may be called.
pub(crate) const RESERVED: [&str; 7] = [LEDGER, RESULTS, NEW_RESULTS, SETTINGS, LOCK, LOG, REPORT];
