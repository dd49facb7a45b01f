//! What became of a candidate that was begun, and has no end in the ledger.

use std::path::Path;

use sortie_results::{AttemptId, Fault, Outcome, Record, RecordError, Submitted, Unusable};

/// What its results dir tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It came to its end: the record is taken for the result.
    Recorded,
    /// It was handed to a cluster, or was about to be, and has no record of its end.
    Submitted(Box<Submitted>),
    /// It has to be run again.
    Again,
}

/// Looks. An attempt that somebody stopped, or that the infrastructure or the set-up failed, is as good as none: nothing was
/// learnt of the candidate. So is the one that is `dead`: it counts no more.
pub(crate) fn look(results_dir: &Path, on_cluster: bool, dead: Option<AttemptId>) -> Begun {
    match Record::read(results_dir) {
        Ok(record) if Some(record.attempt) == dead => Begun::Again,
        Ok(record) if record.outcome == Outcome::Cancelled => Begun::Again,
        Ok(record) if matches!(record.fault, Some(Fault::Infrastructure | Fault::Setup)) => {
            Begun::Again
        }
        // Somebody has removed what it left, to have it run again.
        Ok(record) if record.fault.is_none() && !results_dir.is_dir() => Begun::Again,
        Ok(_) => Begun::Recorded,
        Err(error) => {
            told(results_dir, &error);
            match Submitted::read(results_dir) {
                Ok(note) if on_cluster => Begun::Submitted(Box::new(note)),
                // When it is claimed, a note that cannot be read is told to be in the way.
                _ => Begun::Again,
            }
        }
    }
}

/// Says that there is a record which cannot be read, unless there is none.
fn told(results_dir: &Path, error: &RecordError) {
    let is_there = !matches!(
        error,
        RecordError::Dir { .. } | RecordError::Unusable { cause: Unusable::Missing, .. }
    );
    if is_there {
        tracing::warn!("{error}: {} is run again", results_dir.display());
    }
}
