//! What the launcher that sees to a results dir leaves there for others: `job_keeper/`.
//!
//! Who holds the lock of `lock` sees to the directory; it is for the launcher to take, and for others to look at.
//! `note.json` is what the launcher says of the job, and `log` what it had to say where nobody was there to hear it.
//! The directory spans attempts, and is left where it is. As all that is in a results dir, an evaluator may have
//! written it.

use std::{fs::File, io, path::Path};

use jiff::Timestamp;
use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{ResultsDir, Unusable};

/// The directory.
pub(crate) const KEEPER: &str = "job_keeper";
pub(crate) const LOCK: &str = "lock";
const NOTE: &str = "note.json";
const LOG: &str = "log";

/// The version of the note's form. A reader takes no notice of any other.
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 64 << 10;

/// Where the job of a results dir stands, as its launcher says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits: for its start, in a cluster's queue, or for another attempt.
    Queued,
    /// Its attempt is under way.
    Running,
    /// It is being stopped.
    Stopping,
}

/// What a launcher says of the job that it sees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperNote {
    /// The version of this form: 1.
    pub version: u32,
    /// The launcher's machine.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// Its subcommand, as in `submit`.
    pub command: String,
    /// The candidate's path, where it was told; what is not UTF-8 in it is U+FFFD.
    pub candidate: Option<String>,
    /// When it took the job up.
    pub since: Timestamp,
    /// Where the job stands …
    pub stage: Stage,
    /// … since when …
    pub stage_since: Timestamp,
    /// … and why, if it waits and that is known: a word such as `Priority`.
    pub reason: Option<String>,
}

/// A results dir's `job_keeper/`.
#[derive(Debug)]
pub struct KeeperDir(ResultsDir);

/// Why a note cannot be used.
#[derive(Debug, Error)]
pub enum NoteError {
    /// The file cannot be used.
    #[error("{NOTE} {0}")]
    Unusable(#[from] Unusable),
    /// It is no note, or of another version.
    #[error("{NOTE} is no note of version {VERSION}: {0}")]
    Broken(String),
}

impl KeeperNote {
    /// Of a launcher that has just taken up a job.
    pub fn new(command: &str, candidate: Option<&Path>) -> Self {
        let now = Timestamp::now();
        Self {
            version: VERSION,
            host: host(),
            pid: std::process::id(),
            command: command.to_owned(),
            candidate: candidate.map(|path| path.to_string_lossy().into_owned()),
            since: now,
            stage: Stage::Queued,
            stage_since: now,
            reason: None,
        }
    }

    /// Whether it was written on this machine.
    pub fn is_of_this_machine(&self) -> bool {
        self.host == host()
    }
}

impl KeeperDir {
    /// Makes it, and the results dir, where they are not there.
    pub fn make(results_dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(results_dir)?;
        let dir = ResultsDir::open(results_dir)?;
        match fs::mkdirat(&dir.file, KEEPER, Mode::from(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Self::of(&dir),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens it; `None` where there is none.
    pub fn open(results_dir: &Path) -> io::Result<Option<Self>> {
        match Self::of(&ResultsDir::open(results_dir)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn of(dir: &ResultsDir) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(fs::openat(&dir.file, KEEPER, flags, Mode::empty())?);
        Ok(Self(ResultsDir { file, path: dir.path.join(KEEPER) }))
    }

    /// The file whose lock the launcher has, open for writing; made where it is not there. It is opened once in a
    /// launcher, which would lose the lock by closing another.
    pub fn lock_to_take(&self) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let file = fs::openat(&self.0.file, LOCK, flags | OFlags::CLOEXEC, Mode::from(0o666))?;
        Ok(File::from(file))
    }

    /// The same, open for reading, to see who has its lock.
    pub fn lock_to_see(&self) -> Result<File, Unusable> {
        Ok(self.0.open_regular(LOCK)?.0)
    }

    /// Replaces the note.
    pub fn write(&self, note: &KeeperNote) -> io::Result<()> {
        self.0.replace(NOTE, &serde_json::to_vec(note)?)
    }

    /// Reads the note, of whoever wrote it.
    pub fn read(&self) -> Result<KeeperNote, NoteError> {
        let json = self.0.read(NOTE, MAX_BYTES)?;
        let note: KeeperNote =
            serde_json::from_slice(&json).map_err(|error| NoteError::Broken(error.to_string()))?;
        match note.version {
            VERSION => Ok(note),
            version => Err(NoteError::Broken(format!("version {version}"))),
        }
    }

    /// A new log, in the place of the one there is.
    pub fn new_log(&self) -> io::Result<File> {
        match fs::unlinkat(&self.0.file, LOG, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        self.0.create(LOG, OFlags::WRONLY | OFlags::APPEND)
    }

    /// The end of the log, of at most so many bytes.
    pub fn log_tail(&self, limit: u64) -> crate::LogTail {
        self.0.tail(LOG, limit)
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(KeeperDir::open(dir.path()).unwrap().is_none());
        let keeper = KeeperDir::make(&dir.path().join("a/results")).unwrap();
        assert!(matches!(keeper.read(), Err(NoteError::Unusable(Unusable::Missing))));
        let note = KeeperNote::new("submit", Some("main.py".as_ref()));
        keeper.write(&note).unwrap();
        assert_eq!(keeper.read().unwrap(), note);
        assert!(note.is_of_this_machine());
        keeper.write(&KeeperNote { version: 2, ..note }).unwrap();
        let error = keeper.read().unwrap_err().to_string();
        assert_eq!(error, "note.json is no note of version 1: version 2");
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        KeeperDir::make(&one).unwrap().lock_to_take().unwrap();
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(one.join(KEEPER), other.join(KEEPER)).unwrap();
        assert!(KeeperDir::open(&other).is_err());
        std::fs::remove_file(other.join(KEEPER)).unwrap();
        let keeper = KeeperDir::make(&other).unwrap();
        std::os::unix::fs::symlink(one.join("job_keeper/lock"), other.join("job_keeper/lock"))
            .unwrap();
        assert!(keeper.lock_to_take().is_err());
        assert!(matches!(keeper.lock_to_see(), Err(Unusable::NotRegular(_))));
    }
}
