//! The spawn server, as the launcher sees it: started, ordered about, reaped.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio, id};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use crate::failure::{FAILED, Said};
use crate::hook;
use crate::open_files;
use crate::protection::Protection;
use crate::wire::{self, KILL, MAKE, ORDER, WAKE};

/// How long a spawn server may take to say that it is there, and to take an order.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running spawn server. Dropping it ends it, its reapers and their commands.
pub(crate) struct Launched {
    control: UnixStream,
    child: Option<Child>,
    protections: Vec<Protection>,
    next_number: u64,
    /// What it has said since it was started.
    said: Said,
}

impl Launched {
    /// Starts `program`, which this crate is linked into, as a spawn server.
    pub(crate) async fn start(program: &Path) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = command(program, theirs.into()).spawn()?;
        let protections = Vec::new();
        // From here on, whatever fails, the child is reaped.
        let mut launched = Self {
            control: ours,
            child: Some(child),
            protections,
            next_number: 0,
            said: Said::default(),
        };
        let mut control = tokio::net::UnixStream::from_std(launched.control.try_clone()?)?;
        let hello = timeout(PATIENCE, control.read_u8()).await;
        let bits = hello.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten()?;
        if bits == FAILED {
            let mut why = String::new();
            let read = timeout(PATIENCE, control.read_to_string(&mut why)).await;
            read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten()?;
            return Err(io::Error::other(why.trim_end()));
        }
        launched.protections = Protection::from_bits(bits);
        Ok(launched)
    }

    /// Why it failed, or has no reaper with that number, if it has said so.
    pub(crate) fn last_words(&mut self, number: u64) -> Option<String> {
        let mut buffer = [0; 512];
        while let Ok(read) = (&self.control).read(&mut buffer)
            && read > 0
        {
            self.said.hear(&buffer[..read]);
        }
        self.said.of(number)
    }

    pub(crate) fn protections(&self) -> &[Protection] {
        &self.protections
    }

    /// Has a reaper made: its number, and the launcher's end of its socket.
    pub(crate) async fn make(&mut self) -> io::Result<(u64, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let number = self.next_number;
        self.next_number += 1;
        self.order(MAKE, number, Some(theirs)).await?;
        Ok((number, ours))
    }

    /// Has the reaper with that number go on, should it have been stopped.
    pub(crate) async fn wake(&mut self, number: u64) -> io::Result<()> {
        self.order(WAKE, number, None).await
    }

    /// Has the reaper with that number killed, and whatever it kept.
    pub(crate) async fn kill(&mut self, number: u64) -> io::Result<()> {
        self.order(KILL, number, None).await
    }

    async fn order(&self, what: u8, number: u64, socket: Option<UnixStream>) -> io::Result<()> {
        self.resume();
        let mut order = [what; ORDER];
        order[1..].copy_from_slice(&number.to_le_bytes());
        let files: Vec<_> = socket.iter().map(AsRawFd::as_raw_fd).collect();
        let send = async {
            loop {
                match wire::send(self.control.as_raw_fd(), &order, &files) {
                    // Too much, or too many files, under way already.
                    Err(error) if wire::is_full(&error) => sleep(Duration::from_millis(1)).await,
                    // A message this short goes as a whole or not at all, unix(7).
                    other => return other.map(drop),
                }
            }
        };
        timeout(PATIENCE, send).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Lets it go on, should a command have stopped it (SIGSTOP): it would take no order, nor ever end.
    fn resume(&self) {
        let pid = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = pid {
            let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.resume();
        // Even where a forked copy of the host has the socket, too.
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        if let Some(mut child) = self.child.take() {
            // It ends in a moment, but only when it has ended all that is below it.
            let reap = move || drop(child.wait());
            let _ = std::thread::Builder::new().name("sortie-reaper".into()).spawn(reap);
        }
    }
}

/// The spawn server gets nothing of the launcher's environment but what the dynamic linker needs to find
/// its libraries.
fn command(program: &Path, control: OwnedFd) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this crate is where processes are started")]
    let mut command = Command::new(program);
    let for_linker = |name: &OsStr| name.as_encoded_bytes().starts_with(b"LD_");
    command
        .arg0("sortie-warden")
        .env_clear()
        .envs(env::vars_os().filter(|(name, _)| for_linker(name)))
        .env(hook::VARIABLE, id().to_string())
        .stdin(control)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(given) = open_files::given() {
        command.env(open_files::VARIABLE, given.to_string());
    }
    command
}
