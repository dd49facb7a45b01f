//! What a results dir says to somebody who comes by.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rustix::fs::{FileType, major, minor, statat};

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
    /// Whether a process on this machine has claimed the directory, or is what is left of one that had.
    pub is_claimed: bool,
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
            is_claimed: is_locked(&dir.file).unwrap_or(false),
        })
    }

    /// Whether a directory looks as though a job had been given it, at first glance.
    pub fn is_likely(dir: &Path) -> bool {
        let signs = [names::RECORD, names::SUBMITTED, names::STDOUT, crate::keeper::KEEPER];
        signs.iter().any(|name| dir.join(name).symlink_metadata().is_ok())
    }

    /// Whether an attempt that was handed to a cluster has no record yet.
    pub fn is_under_way_elsewhere(&self) -> bool {
        self.submitted.is_some() && self.record.is_none()
    }

    /// Whether anything says that an attempt was ever given the directory.
    pub fn is_of_an_attempt(&self) -> bool {
        self.record.is_some() || self.submitted.is_some() || self.has_logs
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

/// Whether a process has the lock that a claim is, as `proc_locks(5)` tells: to try it would be to take it, and to keep
/// others from it for a moment.
fn is_locked(dir: &File) -> io::Result<bool> {
    let stat = statat(dir, "", rustix::fs::AtFlags::EMPTY_PATH)?;
    debug_assert_eq!(FileType::from_raw_mode(stat.st_mode), FileType::Directory);
    let (major, minor) = (major(stat.st_dev), minor(stat.st_dev));
    let locks = fs::read_to_string("/proc/locks")?;
    let inode = format!(":{}", stat.st_ino);
    let is_it = |file: &str| {
        // Devices in hexadecimal; those of a Btrfs subvolume have another number in each of the two, and no major one.
        let device = file.strip_suffix(&inode).and_then(|device| device.split_once(':'));
        device.is_some_and(|(here_major, here_minor)| {
            let number = |text| u32::from_str_radix(text, 16).ok();
            number(here_major) == Some(major) && (major == 0 || number(here_minor) == Some(minor))
        })
    };
    // 1: FLOCK  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF
    let is_lock = |line: &str| {
        let mut words = line.split_whitespace().skip(1).filter(|word| *word != "->");
        words.next() == Some("FLOCK") && words.nth(3).is_some_and(is_it)
    };
    Ok(locks.lines().any(is_lock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AttemptId;

    #[test]
    fn a_claim_is_seen_and_not_disturbed() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = Sight::of(dir.path()).unwrap();
        assert!(!nothing.is_claimed && !nothing.is_of_an_attempt());
        let claim = ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap();
        let sight = Sight::of(dir.path()).unwrap();
        assert!(sight.is_claimed && sight.is_of_an_attempt() && !sight.is_under_way_elsewhere());
        drop(claim);
        let left = Sight::of(dir.path()).unwrap();
        assert!(!left.is_claimed && left.is_of_an_attempt());
    }

    #[test]
    fn what_is_no_log_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::Missing)));
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("job_log.out")).unwrap();
        assert!(matches!(Log::Stdout.open(dir.path()), Err(Unusable::NotRegular(_))));
    }
}
