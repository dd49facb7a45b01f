//! A lock on a file by which others find the process that has it.
//!
//! It is a record lock, `fcntl_locking(2)`: the kernel says whose it is, and lets go of it when that process ends, so
//! that there is nothing to go stale. It belongs to the process: no child inherits it, and it is lost when the
//! process closes *any* descriptor of the file.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::sys;

/// The lock, of this process, for as long as this is there. Nothing else in the process may open the file.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// Who has the lock of a file.
#[derive(Debug)]
pub enum Held {
    /// Nobody, or this process.
    Free,
    /// A process on this machine.
    By(Holder),
    /// A process that cannot be reached from here: on another machine that shares the file, or outside this
    /// container.
    Elsewhere,
}

/// A process that had the lock when it was looked for. What is sent to it reaches that process or none, never
/// another that was given its number since.
#[derive(Debug)]
pub struct Holder {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Hold {
    /// Takes the lock of a file that is open for writing; `None` where another process has it.
    ///
    /// # Errors
    ///
    /// The file system has no locks, or none are left.
    pub fn take(file: File) -> io::Result<Option<Self>> {
        Ok(sys::lock_record(&file)?.then_some(Self { _file: file }))
    }
}

impl Held {
    /// Who has the lock of an open file, as [`Hold`] takes it.
    pub fn of(file: &File) -> io::Result<Self> {
        Self::by(|| sys::record_locker(file))
    }

    /// Who has the other kind of lock on an open file or directory, `flock(2)`, or had it and left it to a process that is
    /// there: as `proc_locks(5)` tells, since to try it would be to take it, and to keep others from it for a moment.
    pub fn of_flock(file: &File) -> io::Result<Self> {
        let file = file.metadata()?;
        Self::by(|| flocker(&file))
    }

    fn by(locker: impl Fn() -> io::Result<Option<i32>>) -> io::Result<Self> {
        loop {
            let pid = match locker()? {
                None => return Ok(Self::Free),
                Some(pid) if pid <= 0 => return Ok(Self::Elsewhere),
                Some(pid) => Pid::from_raw(pid),
            };
            let pidfd = sys::pidfd(pid);
            // It had the lock before and after its descriptor was made: so that is of the one that has it, or of one
            // that is gone by now, which nothing reaches.
            if locker()? == Some(pid.as_raw()) {
                return match pidfd {
                    Ok(pidfd) => Ok(Self::By(Holder { pid, pidfd })),
                    // There is no such process here.
                    Err(error) if sys::is_no_process(&error) => Ok(Self::Elsewhere),
                    Err(error) => Err(error),
                };
            }
        }
    }
}

/// The process that has taken a `flock(2)` of a file, and has not given it up.
fn flocker(file: &Metadata) -> io::Result<Option<i32>> {
    let locks = fs::read_to_string("/proc/locks")?;
    Ok(locks.lines().find_map(|line| flocker_in(line, file.dev(), file.ino())))
}

fn flocker_in(line: &str, device: u64, inode: u64) -> Option<i32> {
    // 1: FLOCK  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF
    let mut words = line.split_whitespace().skip(1);
    // One that waits for the lock has an arrow there.
    let (kind, pid, file) = (words.next()?, words.nth(2)?, words.next()?);
    let mut numbers = file.split(':');
    let mut number = |radix| u64::from_str_radix(numbers.next()?, radix).ok();
    let (major_there, minor_there, inode_there) = (number(16)?, number(16)?, number(10)?);
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    // A subvolume of Btrfs has another minor number here than there, and no major one.
    let same_device = major_there == major && (major == 0 || minor_there == minor);
    (kind == "FLOCK" && same_device && inode_there == inode).then(|| pid.parse().ok())?
}

impl Holder {
    /// Its number on this machine, to be shown.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Asks it to end (SIGTERM); whether it was still there.
    pub fn ask_to_end(&self) -> io::Result<bool> {
        sys::signal(&self.pidfd, Signal::SIGTERM)
    }

    /// Waits until it has ended, for so long at most; whether it has.
    pub fn ends_within(&self, time: Duration) -> io::Result<bool> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) if Instant::now() < until => {}
                Ok(ready) => return Ok(ready > 0),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_sees_its_own_lock_as_free() {
        let file = tempfile::tempfile().unwrap();
        assert!(matches!(Held::of(&file).unwrap(), Held::Free));
        let copy = file.try_clone().unwrap();
        let _hold = Hold::take(file).unwrap().unwrap();
        assert!(matches!(Held::of(&copy).unwrap(), Held::Free));
    }

    #[test]
    fn a_flock_is_seen_and_not_disturbed() {
        let dir = tempfile::tempdir().unwrap();
        let locked = File::open(dir.path()).unwrap();
        assert!(matches!(Held::of_flock(&locked).unwrap(), Held::Free));
        locked.lock().unwrap();
        let Held::By(holder) = Held::of_flock(&File::open(dir.path()).unwrap()).unwrap() else {
            panic!("it is not seen")
        };
        assert_eq!(holder.pid().cast_unsigned(), std::process::id());
        assert!(!holder.ends_within(Duration::from_millis(1)).unwrap());
        drop(locked);
        assert!(matches!(Held::of_flock(&File::open(dir.path()).unwrap()).unwrap(), Held::Free));
    }

    #[test]
    fn lines_of_locks() {
        let device = nix::sys::stat::makedev(0xfd, 1);
        let pid = |line| flocker_in(line, device, 42);
        assert_eq!(pid("1: FLOCK  ADVISORY  WRITE 3568 fd:01:42 0 EOF"), Some(3568));
        assert_eq!(pid("1: FLOCK  ADVISORY  WRITE 3568 fd:00:42 0 EOF"), None);
        assert_eq!(pid("1: FLOCK  ADVISORY  WRITE 3568 fd:01:43 0 EOF"), None);
        assert_eq!(pid("1: POSIX  ADVISORY  WRITE 3568 fd:01:42 0 EOF"), None);
        assert_eq!(pid("1: -> FLOCK  ADVISORY  WRITE 3568 fd:01:42 0 EOF"), None);
        assert_eq!(pid(""), None);
        let subvolume = "1: FLOCK ADVISORY WRITE 9 00:2f:42 0 EOF";
        assert_eq!(flocker_in(subvolume, nix::sys::stat::makedev(0, 0x31), 42), Some(9));
    }
}
