//! Who has a directory: one attempt, one launcher, one sweep at a time.
//!
//! A lease is a file that says who has what it stands for. It is taken by creating that file, which only one can
//! (`O_EXCL` of open(2)), on every file system and from every machine that shares it; and given back by removing it. Where
//! the file system has locks, the owner also locks the file (`flock(2)`), and so do the processes that it started for its
//! attempt: that tells others at once when all of them are gone. Locks are evidence only, as some file systems have none
//! (`ENOSYS`, `ENOLCK`), and some keep them from other machines.
//!
//! A lease whose owner was killed is taken over. Whether it was is judged by whoever wants it:
//!
//! | what is seen | the owner |
//! | --- | --- |
//! | the file is locked | is there |
//! | it was locked, on this machine since it was started, and is not any more | is gone |
//! | no locks; its process is seen from here | is there if that process is, as its number and start tell, or one of its attempt, as the mark in the environment tells |
//! | no locks; another container of this machine | is unknown |
//! | this machine before it was started again | is gone |
//! | another machine | is unknown |
//!
//! Of an owner that is unknown nothing is taken, unless the user says so: [`Consent`].
//!
//! To take a lease over, a second one is taken first, `after-ID`, which only one can have for the lease of that id; then
//! it is looked whether that is still the one in place; and a new one is renamed over it.

mod in_use;
mod judge;
mod owner;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use thiserror::Error;

pub use in_use::{InUse, TAKE_OVER};
pub use judge::Standing;
pub use owner::{Owner, who};

use crate::AttemptId;
use judge::{By, Found, is_alive, is_same};
use owner::Unreadable;

/// A lease that is only looked at is locked for microseconds, and so is one that is being taken.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(2);

/// Whether a lease may be taken from an owner of whom nobody can say from here whether it is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// No.
    #[default]
    No,
    /// The user says that it is gone.
    TakeOver,
}

/// A lease of this process. Given back when it is dropped, unless other processes have a part in it: then when the last
/// of them is gone.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    file: File,
    locked: bool,
    shared: AtomicBool,
}

/// Why a lease cannot be had.
#[derive(Debug, Error)]
pub enum LeaseError {
    /// Another process has it, or may have it and there is no consent.
    #[error(transparent)]
    InUse(InUse),
    /// The operating system would not.
    #[error("cannot {action} {}: {cause}", .path.display())]
    Failed {
        /// What could not be done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl Lease {
    /// Takes the lease that this file stands for.
    ///
    /// # Errors
    ///
    /// Somebody has it, or may have it and there is no consent.
    pub fn take(path: &Path, owner: &Owner, consent: Consent) -> Result<Self, LeaseError> {
        let failed = |action| move |cause| LeaseError::Failed { action, path: path.into(), cause };
        let mut left = TRIES;
        loop {
            if let Some(lease) = Self::create(path, owner).map_err(failed("create"))? {
                return Ok(lease);
            }
            let Some(found) = Found::open(path, By::Taking).map_err(failed("read"))? else {
                continue;
            };
            match found.standing.in_use(path) {
                Some(in_use) if in_use.certain && left > 0 && found.is_momentary() => {
                    left -= 1;
                    drop(found);
                    thread::sleep(PAUSE);
                }
                Some(in_use) if in_use.certain || consent == Consent::No => {
                    return Err(LeaseError::InUse(in_use));
                }
                _ => {
                    if let Some(lease) = Self::take_over(path, &found, owner, consent)? {
                        return Ok(lease);
                    }
                }
            }
        }
    }

    /// How a lease stands, for whoever comes by; nothing is changed.
    pub fn look(path: &Path) -> io::Result<Standing> {
        Ok(Found::open(path, By::Looking)?.map_or(Standing::Free, |found| found.standing))
    }

    /// A part in the lease for processes that go on without this one: as long as one of them has a copy of the file, others
    /// find the lease held, where there are locks.
    pub fn share(&self) -> BorrowedFd<'_> {
        self.shared.store(true, Ordering::Relaxed);
        self.file.as_fd()
    }

    /// Gives the lease back, of which no other process has a part any more.
    pub fn release(self) {
        self.shared.store(false, Ordering::Relaxed);
    }

    /// Creates the file; `None` where there is one.
    fn create(path: &Path, owner: &Owner) -> io::Result<Option<Self>> {
        let file = match File::options().read(true).write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            file => file?,
        };
        let locked = match file.try_lock() {
            Ok(()) => true,
            // Somebody has found it empty and taken it over.
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(_)) => false,
        };
        // Who found it empty, unlocked, has put another in its place by now.
        if locked && !is_same(&file.metadata()?, &fs::metadata(path)?) {
            return Ok(None);
        }
        let lease = Self { path: path.to_owned(), file, locked, shared: AtomicBool::new(false) };
        // If it cannot be written, dropping it removes it.
        let owner = Owner { id: AttemptId::generate(), locked, ..owner.clone() };
        (&lease.file).write_all(&serde_json::to_vec(&owner)?)?;
        Ok(Some(lease))
    }

    /// Puts a lease in the place of one whose owner is gone; `None` if that is another one by now.
    fn take_over(
        path: &Path,
        dead: &Found,
        owner: &Owner,
        consent: Consent,
    ) -> Result<Option<Self>, LeaseError> {
        let failed = |cause| LeaseError::Failed { action: "take over", path: path.into(), cause };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = |name: String| path.with_file_name(name);
        let metadata = dead.file.metadata().map_err(failed)?;
        let id = match &dead.said {
            Ok(owner) => owner.id.to_string(),
            Err(_) => format!("{name}-{}", std::os::unix::fs::MetadataExt::ino(&metadata)),
        };
        let _after = Self::take(&beside(format!("after-{id}")), owner, consent)?;
        // On NFS, only opening a file shows what another machine has done to it: nfs(5).
        match File::open(path).and_then(|file| file.metadata()) {
            Ok(now) if is_same(&now, &metadata) => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let new = beside(format!(".{name}.{}", AttemptId::generate()));
        let Some(mut lease) = Self::create(&new, owner).map_err(failed)? else { return Ok(None) };
        fs::rename(&new, path).map_err(failed)?;
        path.clone_into(&mut lease.path);
        Ok(Some(lease))
    }
}

impl Found {
    /// Whether it may be held for no longer than somebody takes to look at it, or to write it.
    fn is_momentary(&self) -> bool {
        match &self.said {
            Ok(owner) => !owner.is_here() || !is_alive(owner),
            Err(Unreadable::Torn) => true,
            Err(Unreadable::Version(_)) => false,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What others have a part in, the last of them gives back, by letting go of the lock.
        if self.locked && *self.shared.get_mut() {
            return;
        }
        let is_ours =
            || Ok::<_, io::Error>(is_same(&self.file.metadata()?, &fs::metadata(&self.path)?));
        if is_ours().unwrap_or(false) {
            // Where it cannot be removed, the lock or the end of this process tells.
            let _ = fs::remove_file(&self.path);
        }
    }
}
