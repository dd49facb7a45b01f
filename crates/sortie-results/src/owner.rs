//! What the launcher that sees to a results dir says of its job, for others to read.
//!
//! Whoever has the lease sees to the job; it is for the launcher to take, and for others to look at. Beside it the launcher
//! notes where the job stands, and writes what it has to say where nobody is there to hear it. All of it is in the
//! launcher's directory, see [`Place`]; it spans attempts, and is left where it is.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::{
    fs::{self, AtFlags, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{ClaimError, Owner, Place, Unusable, dir::Dir, make::make, names};

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
pub struct OwnerNote {
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

/// Where the launcher that sees to a job leaves what it says.
#[derive(Debug)]
pub struct OwnerDir {
    place: Place,
    state: Dir,
}

/// Why a note cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The file cannot be used.
    #[error("the note of the launcher {0}")]
    Unusable(Unusable),
    /// It is no note, or of another version.
    #[error("the note of the launcher is not one of version {VERSION}: {0}")]
    Broken(String),
}

impl From<Unusable> for NoteError {
    fn from(error: Unusable) -> Self {
        Self::Unusable(error)
    }
}

impl OwnerNote {
    /// Of a launcher that has just taken up a job.
    pub fn new(command: &str, candidate: Option<&Path>) -> Self {
        let (owner, now) = (Owner::this(None, None), Timestamp::now());
        Self {
            version: VERSION,
            host: owner.host,
            pid: owner.pid,
            command: command.to_owned(),
            candidate: candidate.map(|path| path.to_string_lossy().into_owned()),
            since: now,
            stage: Stage::Queued,
            stage_since: now,
            reason: None,
        }
    }
}

impl OwnerDir {
    /// Makes it, and the results dir, where they are not there.
    pub fn make(results_dir: &Path) -> Result<Self, ClaimError> {
        let made = make(results_dir)?;
        Ok(Self { place: made.place, state: made.state })
    }

    /// Opens it, of a job that was begun.
    pub fn open(results_dir: &Path) -> io::Result<Self> {
        let place = Place::of(results_dir);
        Ok(Self { state: place.open_state()?, place })
    }

    /// The file of the launcher's [`Lease`](crate::Lease).
    pub fn lease(&self) -> PathBuf {
        self.state.path.join(self.place.names().owner)
    }

    /// The file of the lease of an attempt.
    pub fn claim(&self) -> PathBuf {
        self.state.path.join(names::LEASE)
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.state.path.join(self.place.names().log)
    }

    /// Replaces the note.
    pub fn write(&self, note: &OwnerNote) -> io::Result<()> {
        self.state.replace(self.place.names().note, &serde_json::to_vec(note)?)
    }

    /// Reads the note, of whoever wrote it.
    pub fn read(&self) -> Result<OwnerNote, NoteError> {
        let json = self.state.read(self.place.names().note, MAX_BYTES)?;
        let note: OwnerNote =
            serde_json::from_slice(&json).map_err(|error| NoteError::Broken(error.to_string()))?;
        match note.version {
            VERSION => Ok(note),
            version => Err(NoteError::Broken(format!("version {version}"))),
        }
    }

    /// A new log, in the place of the one there is.
    pub fn new_log(&self) -> io::Result<File> {
        let name = self.place.names().log;
        match fs::unlinkat(&self.state.file, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        self.state.create(name, OFlags::WRONLY | OFlags::APPEND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let owner = OwnerDir::make(&dir.path().join("a/results")).unwrap();
        assert!(matches!(owner.read(), Err(NoteError::Unusable(Unusable::Missing))));
        let note = OwnerNote::new("submit", Some("main.py".as_ref()));
        owner.write(&note).unwrap();
        assert_eq!(owner.read().unwrap(), note);
        owner.write(&OwnerNote { version: 2, ..note }).unwrap();
        let error = owner.read().unwrap_err().to_string();
        assert_eq!(error, "the note of the launcher is not one of version 1: version 2");
        assert!(owner.lease().starts_with(dir.path().canonicalize().unwrap().join("a/.sortie")));
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let owner = OwnerDir::make(&dir.path().join("results")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", owner.log().with_file_name("keeper.json"))
            .unwrap();
        assert!(matches!(owner.read(), Err(NoteError::Unusable(Unusable::NotRegular(_)))));
    }
}
