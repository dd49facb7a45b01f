//! What became of a candidate that was begun, and has no end in the ledger.

use std::path::Path;

use sortie_results::{AttemptId, Fault, Outcome, Record, Submitted};

/// What its results dir tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It came to its end: the record is taken for the result.
    Recorded,
    /// It was handed to a cluster, or was about to be, and has no record of its end.
    Submitted,
    /// It has to be run again.
    Again,
}

/// Looks. An attempt that somebody stopped, or that the infrastructure or the set-up failed, is as good as none: nothing was
/// learnt of the candidate. So is the one that is `void`.
pub(crate) fn look(results_dir: &Path, on_cluster: bool, void: Option<AttemptId>) -> Begun {
    match Record::read(results_dir) {
        Ok(record) if Some(record.attempt) == void => Begun::Again,
        Ok(record) if record.outcome == Outcome::Cancelled => Begun::Again,
        Ok(record) if matches!(record.fault, Some(Fault::Infrastructure | Fault::Setup)) => {
            Begun::Again
        }
        Ok(_) => Begun::Recorded,
        Err(_) if on_cluster && Submitted::read(results_dir).is_ok() => Begun::Submitted,
        Err(_) => Begun::Again,
    }
}
