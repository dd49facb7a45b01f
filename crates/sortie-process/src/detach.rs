//! Launchers that go on when their terminal is closed and their user has logged out.
//!
//! This is the one exception to "nothing outlives": what is detached is a launcher, the program that uses this
//! crate, started once more. It ends by itself when its work is done, and whatever ends it ends its commands with
//! it, as of any launcher.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use sortie_process::detach;
//!
//! if std::env::args().any(|arg| arg == "--detached") {
//!     let mut socket = detach::leave()?;        // the first thing it does
//!     socket.write_all(b"under way")?;          // … and where it stands is for the starter to know
//! } else {
//!     let mut started = detach::start(["--detached"])?;
//!     let mut answer = String::new();
//!     started.socket.read_to_string(&mut answer)?;
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use crate::sys;

/// This program, even if its file was replaced or removed.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// A launcher that was started to go on by itself.
#[derive(Debug)]
pub struct Started {
    /// Its process.
    pub pid: u32,
    /// The other end of what [`leave`] gives it. It reads as ended when the launcher ends or drops its own.
    pub socket: UnixStream,
}

/// Starts this program once more with these arguments, which have to lead it to [`leave`]. It has this process's
/// environment and working directory, and none of its files.
pub fn start(args: impl IntoIterator<Item: AsRef<OsStr>>) -> io::Result<Started> {
    let (ours, theirs) = UnixStream::pair()?;
    #[expect(clippy::disallowed_methods, reason = "this crate is where processes are started")]
    let mut command = Command::new(OWN_PROGRAM);
    command
        .arg0(env::args_os().next().unwrap_or_else(|| OsString::from(OWN_PROGRAM)))
        .args(args)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    sys::give_back_open_files(&mut command);
    let child = command.spawn()?;
    Ok(Started { pid: child.id(), socket: ours })
}

/// Leaves the session, terminal and open files of whoever started this process by [`start`]: a hang-up is ignored
/// from now on, SIGTERM is not, whatever was inherited. The socket leads to the one that [`start`] returned.
///
/// To be called before anything else is opened: all files but the standard ones are closed, which whoever waits
/// for their end would otherwise wait for. Standard input is `/dev/null` then.
///
/// # Errors
///
/// The process was not started so.
pub fn leave() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    let given = File::from(stdin.as_fd().try_clone_to_owned()?);
    if !given.metadata()?.file_type().is_socket() {
        return Err(io::Error::other("this process was not started to go on by itself"));
    }
    drop(given);
    setsid()?;
    sys::take_signals_of_a_launcher();
    sys::close_from(3);
    let socket = UnixStream::from(stdin.as_fd().try_clone_to_owned()?);
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket)
}

/// Has standard output and standard error written to a file from now on.
pub fn log_to(file: &File) -> io::Result<()> {
    dup2_stdout(file)?;
    Ok(dup2_stderr(file)?)
}
