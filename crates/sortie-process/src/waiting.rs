//! Waiting for whatever comes first: a message, a child's end, a deadline.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;

use crate::sys;

/// Signals received as events: that a child ended, that this process is asked to end.
pub(crate) struct Signals(SignalFd);

/// What has come in on [`Signals`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// SIGTERM.
    pub(crate) end: bool,
    /// SIGUSR1: a reaper asks its spawn server for time.
    pub(crate) time: bool,
}

impl Signals {
    /// Blocks SIGCHLD, SIGTERM and SIGUSR1 and collects them here; all others get their default action.
    pub(crate) fn take() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.add(Signal::SIGTERM);
        mask.add(Signal::SIGUSR1);
        sys::reset_signals(&mask);
        Ok(Self(SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// Takes all that have come.
    pub(crate) fn drain(&self) -> Received {
        let mut received = Received::default();
        while let Ok(Some(info)) = self.0.read_signal() {
            received.end |= info.ssi_signo == Signal::SIGTERM as u32;
            received.time |= info.ssi_signo == Signal::SIGUSR1 as u32;
        }
        received
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of `files` can be read (or has reached its end) or the time has come; which can.
pub(crate) fn wait<const N: usize>(
    files: [BorrowedFd<'_>; N],
    until: Option<Instant>,
) -> io::Result<[bool; N]> {
    let mut polled = files.map(|file| PollFd::new(file, PollFlags::POLLIN));
    let timeout =
        until.map(|until| TimeSpec::from_duration(until.saturating_duration_since(Instant::now())));
    match ppoll(&mut polled, timeout, None) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(polled.map(|file| file.any().unwrap_or(false)))
}
