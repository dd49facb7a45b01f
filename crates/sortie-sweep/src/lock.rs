//! Who sees to a sweep: one launcher at a time.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A lock that is only looked at is held for microseconds, and a launcher that was just killed lets go of its own within
/// milliseconds.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The launcher that sees to a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process; 0 if it has not said yet.
    pub pid: u32,
    /// On this machine.
    pub host: String,
}

impl Holder {
    /// This process.
    pub(crate) fn this() -> Self {
        Self { pid: std::process::id(), host: host() }
    }

    /// Whether it is on this machine, where its process can be sent a signal.
    pub fn is_here(&self) -> bool {
        self.pid != 0 && self.host == host()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            0 => f.write_str("another process"),
            pid => write!(f, "process {pid} on {}", self.host),
        }
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The lock, held for as long as this is there. It is `flock(2)`'s, which a process that is killed lets go of.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone lets go a little later where another thread is just starting a process, which has the file until
        // it runs its program.
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(crate) fn take(path: &Path) -> io::Result<Result<Self, Holder>> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        for left in (0..TRIES).rev() {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if left == 0 => return Ok(Err(said(&file))),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(&Holder::this())?)?;
        Ok(Ok(Self(file)))
    }

    /// Who has the lock, if anybody.
    pub(crate) fn holder(path: &Path) -> Option<Holder> {
        let file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(said(&file)),
            _ => None,
        }
    }
}

fn said(mut file: &File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let said = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    said.unwrap_or(Holder { pid: 0, host: String::new() })
}
