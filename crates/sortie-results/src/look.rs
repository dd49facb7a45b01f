//! What a results dir says to somebody who comes by.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::{
    Lease, Place, Record, RecordError, Standing, Submitted, Unusable, names, place::Layout,
    record::open_state,
};

/// What there is in a results dir of its last attempt.
#[derive(Debug)]
pub struct Sight {
    /// The record, if the attempt has ended in order.
    pub record: Option<Record>,
    /// The note of its submission, if it was handed to a cluster.
    pub submitted: Option<Submitted>,
    /// Whether an attempt has the directory now.
    pub claim: Standing,
    /// Whether an attempt was given the directory.
    pub was_claimed: bool,
}

/// One of an attempt's two logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// The evaluator's standard output.
    Stdout,
    /// The evaluator's standard error.
    Stderr,
}

impl Sight {
    /// Looks into a results dir, and changes nothing there.
    ///
    /// # Errors
    ///
    /// The directory is not there or may not be read; or a record or note that is there cannot be.
    pub fn of(results_dir: &Path) -> Result<Self, RecordError> {
        let place = Place::of(results_dir);
        let state = open_state(&place)?;
        let has_log = || place.open_results()?.has(names::STDOUT);
        let claim = claim(&place);
        Ok(Self {
            // The note first: a retry puts a new one where both of the old one were.
            submitted: there(Submitted::of(&state, place.names()))?,
            record: there(Record::of(&state))?,
            was_claimed: claim != Standing::Free || has_log().unwrap_or(false),
            claim,
        })
    }

    /// Whether a directory looks as though a job had been given it, at first glance.
    pub fn is_likely(dir: &Path) -> bool {
        let signs = [names::RECORD, names::OLD.submitted, names::STDOUT, OLD_LOCK];
        // No directories: those may be of other jobs that are called so.
        let is_there = |name| dir.join(name).symlink_metadata().is_ok_and(|it| !it.is_dir());
        signs.into_iter().any(is_there) || Place::of(dir).layout != Layout::Old
    }
}

/// What the launchers of an earlier sortie left in a results dir.
const OLD_LOCK: &str = "job_keeper/lock";

impl Log {
    /// Opens it for reading, if it is a regular file.
    pub fn open(self, results_dir: &Path) -> Result<File, Unusable> {
        let name = match self {
            Self::Stdout => names::STDOUT,
            Self::Stderr => names::STDERR,
        };
        let place = Place::of(results_dir);
        let found =
            place.open_results().map_err(Unusable::from).and_then(|dir| dir.open_regular(name));
        match found {
            // Where its script has put it that found no results dir.
            Err(error) if place.layout == Layout::Beside => {
                let put = place.open_state().map_err(Unusable::from);
                put.and_then(|state| state.open_regular(name))
                    .map(|(log, _)| log)
                    .map_err(|_| error)
            }
            found => Ok(found?.0),
        }
    }
}

/// Whether an attempt has a results dir.
fn claim(place: &Place) -> Standing {
    // So an earlier sortie kept it while an attempt ran.
    if place.layout == Layout::Old
        && let Ok(results) = place.open_results()
        && matches!(results.file.try_lock_shared(), Err(TryLockError::WouldBlock))
    {
        return Standing::Held(None);
    }
    // What cannot be read tells nothing.
    Lease::look(&place.state.join(names::LEASE)).unwrap_or(Standing::Unknown(None))
}

fn there<T>(read: Result<T, RecordError>) -> Result<Option<T>, RecordError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(RecordError::Unusable { cause: Unusable::Missing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttemptId, ResultsDir};

    #[test]
    fn an_attempt_is_seen_by_what_it_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results");
        std::fs::create_dir(&path).unwrap();
        assert!(!Sight::of(&path).unwrap().was_claimed && !Sight::is_likely(&path));
        let claim = ResultsDir::claim(&path, AttemptId::generate()).unwrap();
        // What the evaluator does there is of no account.
        std::fs::remove_file(path.join("job_log.out")).unwrap();
        std::fs::write(path.join("job.json"), "{").unwrap();
        let sight = Sight::of(&path).unwrap();
        assert!(
            sight.was_claimed
                && matches!(sight.claim, Standing::Held(Some(_)))
                && sight.record.is_none()
                && sight.submitted.is_none()
        );
        assert!(Sight::is_likely(&path));
        std::fs::write(claim.place().state_dir().join("job.json"), "{").unwrap();
        assert!(matches!(Sight::of(&path), Err(RecordError::Malformed { .. })));
    }

    #[test]
    fn what_is_no_log_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::Missing)));
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("job_log.out")).unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::NotRegular(_))));
    }
}
