//! A process of another launcher, found by what a file says of it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::{sys, tree};

/// A process that was there when it was looked for. What is sent to it reaches that process or none, never
/// another that was given its number since.
#[derive(Debug)]
pub struct Holder {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Holder {
    /// The process of this number that was started at this time, in ticks of the machine's clock (`proc_pid_stat(5)`); `None`
    /// where there is no such process, or it cannot be looked at.
    pub fn find(pid: u32, started: u64) -> io::Result<Option<Self>> {
        let Ok(pid @ 1..) = i32::try_from(pid) else { return Ok(None) };
        let pid = Pid::from_raw(pid);
        let pidfd = match sys::pidfd(pid) {
            Err(error) if sys::is_no_process(&error) => return Ok(None),
            pidfd => pidfd?,
        };
        // It had the number once its descriptor was made, so that is of this process, or of one that is gone by now, which
        // nothing reaches.
        Ok((tree::started(pid) == Some(started)).then_some(Self { pid, pidfd }))
    }

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
    fn a_process_is_found_by_its_number_and_start() {
        let this = std::process::id();
        let started = tree::started(Pid::this()).unwrap();
        let holder = Holder::find(this, started).unwrap().unwrap();
        assert_eq!(holder.pid().cast_unsigned(), this);
        assert!(!holder.ends_within(Duration::from_millis(1)).unwrap());
        assert!(Holder::find(this, started + 1).unwrap().is_none(), "another has its number");
        assert!(Holder::find(0, started).unwrap().is_none());
    }
}
