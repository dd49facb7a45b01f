//! Whether the owner of a lease is still there.

use std::{
    fs::{self, File, TryLockError},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};

use crate::names;

use super::owner::{Owner, This, Unreadable, started};

/// A lease that is written takes microseconds. One that is not readable for longer never will be.
const TO_WRITE: Duration = Duration::from_secs(30);
/// What a lease may hold, in bytes: a few hundred are usual.
const LIMIT: u64 = 16 << 10;

/// How a lease stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has it.
    Free,
    /// Somebody has it: who, unless that cannot be read.
    Held(Option<Box<Owner>>),
    /// Nobody can say from here whether its owner is still there.
    Unknown(Option<Box<Owner>>),
    /// Its owner is gone, and so is all that it had started.
    Gone(Option<Box<Owner>>),
}

impl Standing {
    /// Who has it, or may have it.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Held(owner) | Self::Unknown(owner) => owner.as_deref(),
            Self::Free | Self::Gone(_) => None,
        }
    }

    /// Whether somebody has it, or may have it.
    pub fn may_be_held(&self) -> bool {
        matches!(self, Self::Held(_) | Self::Unknown(_))
    }
}

/// An open lease.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) said: Result<Owner, Unreadable>,
    pub(super) standing: Standing,
}

/// How a file is asked whether it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By whoever only looks, which disturbs nobody else who does.
    Looking,
    /// By whoever wants it, and keeps the lock for as long as the file is open.
    Taking,
}

/// What a kernel lock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    Busy,
    Free,
    /// There are none here.
    None,
}

impl Found {
    /// Reads a lease and judges it; `None` where there is none.
    pub(super) fn open(path: &Path, by: By) -> std::io::Result<Option<Self>> {
        // NFS locks for itself alone only what is open for writing.
        let file = match File::options().read(true).write(by == By::Taking).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = Vec::new();
        (&file).take(LIMIT).read_to_end(&mut text)?;
        let said = Owner::read(&text);
        let standing = judge(&file, &said, by)?;
        Ok(Some(Self { file, said, standing }))
    }
}

fn judge(file: &File, said: &Result<Owner, Unreadable>, by: By) -> std::io::Result<Standing> {
    let owner = match said {
        Ok(owner) => owner,
        Err(unreadable) => {
            return Ok(match (lock(file, by), unreadable) {
                (Lock::Busy, _) => Standing::Held(None),
                (_, Unreadable::Version(_)) => Standing::Unknown(None),
                (Lock::Free, Unreadable::Torn) => Standing::Gone(None),
                (Lock::None, Unreadable::Torn) if age(file)? > TO_WRITE => Standing::Gone(None),
                (Lock::None, Unreadable::Torn) => Standing::Held(None),
            });
        }
    };
    let some = || Some(Box::new(owner.clone()));
    let this = This::get();
    let same_boot = owner.boot.is_some() && owner.boot == this.boot;
    // It says so itself, and nobody who only looks need lock anything.
    if by == By::Looking && same_boot && owner.is_here() && is_alive(owner) {
        return Ok(Standing::Held(some()));
    }
    let lock = lock(file, by);
    let same_machine = owner.machine.is_some() && owner.machine == this.machine;
    let restarted = owner.boot.is_some() && this.boot.is_some() && !same_boot;
    Ok(match lock {
        Lock::Busy => Standing::Held(some()),
        Lock::Free if same_boot && owner.locked => Standing::Gone(some()),
        _ if same_boot && !owner.is_here() => Standing::Unknown(some()),
        _ if same_boot && (is_alive(owner) || has_left_something(owner)) => Standing::Held(some()),
        _ if same_boot => Standing::Gone(some()),
        _ if same_machine && owner.host == this.host && restarted => Standing::Gone(some()),
        _ => Standing::Unknown(some()),
    })
}

fn lock(file: &File, by: By) -> Lock {
    let locked = match by {
        By::Looking => file.try_lock_shared(),
        By::Taking => file.try_lock(),
    };
    match locked {
        Ok(()) => Lock::Free,
        Err(TryLockError::WouldBlock) => Lock::Busy,
        Err(TryLockError::Error(_)) => Lock::None,
    }
}

/// How long ago a file was written.
fn age(file: &File) -> std::io::Result<Duration> {
    Ok(SystemTime::now().duration_since(file.metadata()?.modified()?).unwrap_or_default())
}

/// Whether a process of this machine is there: it, and not another that was given its number since.
pub(super) fn is_alive(owner: &Owner) -> bool {
    let pid = i32::try_from(owner.pid).ok().and_then(Pid::from_raw);
    match (started(owner.pid), owner.started) {
        (Some(now), Some(then)) => now == then,
        // The process cannot be looked at, or there is none.
        _ => pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH)),
    }
}

/// Whether a process is there that belongs to the owner's attempt, by the mark in its environment.
fn has_left_something(owner: &Owner) -> bool {
    let Some(attempt) = owner.attempt else { return false };
    let mark = format!("{}={attempt}", names::ATTEMPT);
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let is_marked = |process: fs::DirEntry| {
        let is_process =
            process.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit);
        let environment = is_process.then(|| fs::read(process.path().join("environ")).ok());
        let environment = environment.flatten().unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    processes.filter_map(Result::ok).any(is_marked)
}

/// Whether two files are one.
pub(super) fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
