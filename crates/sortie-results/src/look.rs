//! What a results dir says to somebody who comes by.

use std::{fs::File, path::Path};

use crate::{Record, RecordError, ResultsDir, Submitted, Unusable, names};

/// What there is in a results dir of its last attempt.
#[derive(Debug)]
pub struct Sight {
    /// The record, if the attempt has ended in order.
    pub record: Option<Record>,
    /// The note of its submission, if it was handed to a cluster.
    pub submitted: Option<Submitted>,
    /// Whether there is a log: an attempt was given the directory.
    pub has_logs: bool,
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
        let dir = crate::record::open(results_dir)?;
        Ok(Self {
            // The note first: a retry puts a new one where both of the old one were.
            submitted: there(Submitted::of(&dir))?,
            record: there(Record::of(&dir))?,
            has_logs: dir.has(names::STDOUT).unwrap_or(false),
        })
    }

    /// Whether a directory looks as though a job had been given it, at first glance.
    pub fn is_likely(dir: &Path) -> bool {
        let lock = Path::new(crate::keeper::KEEPER).join(crate::keeper::LOCK);
        let signs = [names::RECORD, names::SUBMITTED, names::STDOUT].map(Path::new);
        // No directories: those may be of other jobs that are called so.
        let is_there = |name: &Path| dir.join(name).symlink_metadata().is_ok_and(|it| !it.is_dir());
        signs.into_iter().chain([&*lock]).any(is_there)
    }
}

impl Log {
    /// Opens it for reading, if it is a regular file.
    pub fn open(self, results_dir: &Path) -> Result<File, Unusable> {
        let name = match self {
            Self::Stdout => names::STDOUT,
            Self::Stderr => names::STDERR,
        };
        Ok(ResultsDir::open(results_dir)?.open_regular(name)?.0)
    }
}

fn there<T>(read: Result<T, RecordError>) -> Result<Option<T>, RecordError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(RecordError::Unusable { source: Unusable::Missing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AttemptId;

    #[test]
    fn an_attempt_is_seen_by_what_it_left() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Sight::of(dir.path()).unwrap().has_logs && !Sight::is_likely(dir.path()));
        drop(ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap());
        let sight = Sight::of(dir.path()).unwrap();
        assert!(sight.has_logs && sight.record.is_none() && sight.submitted.is_none());
        assert!(Sight::is_likely(dir.path()));
        std::fs::write(dir.path().join("job.json"), "{").unwrap();
        assert!(matches!(Sight::of(dir.path()), Err(RecordError::Malformed { .. })));
    }

    #[test]
    fn what_is_no_log_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::Missing)));
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("job_log.out")).unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::NotRegular(_))));
    }
}
