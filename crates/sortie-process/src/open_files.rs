//! How many files may be open at once: the launcher takes as many as it may have, and its commands get what it was given.
//!
//! The soft limit of mostly 1,024 is for programs that use `select(2)`; the hard limit is what a process may take
//! (`getrlimit(2)`). What the launcher takes does not go on to what it starts.

use std::env;
use std::fs;
use std::io;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Tells the spawn server the soft limit that commands are to have.
pub(crate) const VARIABLE: &str = "SORTIE_OPEN_FILES";

/// The soft limit that this process was given, if it has taken more.
static GIVEN: OnceLock<u64> = OnceLock::new();

/// The files of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    /// How many may be open (`RLIMIT_NOFILE`, the soft limit).
    pub limit: u64,
    /// How many are.
    pub open: u64,
}

impl OpenFiles {
    /// As it is now.
    pub fn now() -> io::Result<Self> {
        let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
        // The list itself is one of them for as long as it is read.
        let open = fs::read_dir("/proc/self/fd")?.count().saturating_sub(1) as u64;
        Ok(Self { limit, open })
    }

    /// Raises this process's limit as far as it may go. Commands that a [`Supervisor`](crate::Supervisor) starts, and launchers
    /// that [`detach`](crate::detach) does, have the limit that this process was given; other children inherit the new one,
    /// so that this is for a program to decide, and not for a library.
    pub fn raise_limit() -> io::Result<()> {
        let (given, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        raise_from(given, given, most)
    }

    /// The same in the spawn server, which may have been told what commands are to have.
    pub(crate) fn raise_limit_of_spawn_server() -> io::Result<()> {
        let (own, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        let told = env::var(VARIABLE).ok().and_then(|limit| limit.parse().ok());
        raise_from(own, told.unwrap_or(own), most)
    }
}

fn raise_from(now: u64, given: u64, most: u64) -> io::Result<()> {
    // Known before it is used: there is nothing that could start a command in between.
    if given < most {
        GIVEN.get_or_init(|| given);
    }
    if now < most {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    }
    Ok(())
}

/// The soft limit that commands are to have, if it is not that of this process.
pub(crate) fn given() -> Option<u64> {
    GIVEN.get().copied()
}

/// Gives the limit back, in a new process.
pub(crate) fn give_back(given: u64) -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, given.min(most), most)
}
