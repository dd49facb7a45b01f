//! A lock on a file by which others find the process that has it.
//!
//! It is a record lock, `fcntl_locking(2)`: the kernel says whose it is, and lets go of it when that process ends, so
//! that there is nothing to go stale. It belongs to the process: no child inherits it, and it is lost when the
//! process closes *any* descriptor of the file.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::os::fd::AsFd;

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
    /// Who has the lock of an open file.
    pub fn of(file: &File) -> io::Result<Self> {
        loop {
            let pid = match sys::record_locker(file)? {
                None => return Ok(Self::Free),
                Some(pid) if pid <= 0 => return Ok(Self::Elsewhere),
                Some(pid) => Pid::from_raw(pid),
            };
            let pidfd = sys::pidfd(pid);
            // It had the lock before and after its descriptor was made: so that is of the one that has it, or of one
            // that is gone by now, which nothing reaches.
            if sys::record_locker(file)? == Some(pid.as_raw()) {
                return Ok(pidfd.map_or(Self::Elsewhere, |pidfd| Self::By(Holder { pid, pidfd })));
            }
        }
    }
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
}
