//! The launcher's way in: starts the spawn server when first needed, and commands through it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::launched::Launched;
use crate::pool::{Permit, Pool, Reaper, Source};
use crate::process::Kept;
use crate::protection::Protection;
use crate::{Command, Files, Process, Template, hook, sys, wire};
use thiserror::Error;

/// How often a reaper is made for a command that is gone before it has seen the command, and says nothing.
const TRIES: u32 = 3;

/// The launcher's own program, even if its file was replaced or removed.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Runs commands, each as a process tree of its own. Cloning gives another handle to the same one.
///
/// When the last handle and the last [`Process`] are dropped, its helper processes leave.
#[derive(Clone, Default)]
pub struct Supervisor {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    helper: Arc<Helper>,
    pool: Pool,
}

/// The spawn server, once it is needed, and the program it is started from.
#[derive(Default)]
struct Helper {
    program: Option<PathBuf>,
    spawn_server: tokio::sync::Mutex<Option<Launched>>,
}

/// Why a command was not handed over to be run.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// No command line can hold this.
    #[error("{0:?} holds a NUL byte, which no argument, variable or path can")]
    Nul(String),
    /// The crate is in a shared library, so that the host's program cannot serve as its helper.
    #[error(
        "this program cannot be its own helper, as sortie is not linked into it but loaded: name an \
         executable that is, with `Supervisor::with_helper`"
    )]
    NoHelper,
    /// The helper process does not start.
    #[error("cannot start the helper process {}: {cause}", program.display())]
    Helper {
        /// The program it was to be started from.
        program: PathBuf,
        /// What the kernel said, or that the helper said nothing in ten seconds.
        cause: io::Error,
    },
    /// The command cannot be passed on to the helper process.
    #[error("cannot hand {program:?} over to the helper process: {cause}")]
    HandOver {
        /// The command's program.
        program: OsString,
        /// What the kernel said, such as that no more files may be opened.
        cause: io::Error,
    },
}

impl Supervisor {
    /// A supervisor; nothing is started before it is needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// A supervisor whose helper processes run `program`, an executable that this crate is linked
    /// into. Needed only where the host's own program is not one, such as in an extension module.
    pub fn with_helper(program: impl Into<PathBuf>) -> Self {
        let helper = Helper { program: Some(program.into()), ..Helper::default() };
        Self { shared: Arc::new(Shared { helper: Arc::new(helper), ..Shared::default() }) }
    }

    /// Another supervisor by the side of this one, with the same spawn server and with reapers of its own: their
    /// [templates](Template) serve it alone, even where they are equal to others, and end with its last handle.
    #[must_use]
    pub fn apart(&self) -> Self {
        let helper = self.shared.helper.clone();
        Self { shared: Arc::new(Shared { helper, pool: Pool::default() }) }
    }

    /// What keeps processes from outliving their command here.
    pub async fn protections(&self) -> Result<Vec<Protection>, SpawnError> {
        let mut spawn_server = self.shared.helper.spawn_server.lock().await;
        Ok(self.running(&mut spawn_server).await?.protections().to_vec())
    }

    /// Has `command` started. What it lacks to start (its program, say) is for [`Process::wait`] to
    /// tell. Has to be called within a tokio runtime with I/O and time enabled.
    pub async fn spawn(&self, command: &Command, files: Files<'_>) -> Result<Process, SpawnError> {
        self.spawn_with_input(command, files, None).await
    }

    /// As [`Supervisor::spawn`], with a file as standard input in place of `/dev/null`.
    pub(crate) async fn spawn_with_input(
        &self,
        command: &Command,
        files: Files<'_>,
        stdin: Option<BorrowedFd<'_>>,
    ) -> Result<Process, SpawnError> {
        let has_input = stdin.is_some();
        let files = [Some(files.stdout), Some(files.stderr), stdin, files.hold];
        let files: Vec<_> = files.iter().flatten().map(AsRawFd::as_raw_fd).collect();
        let mut tries = TRIES;
        loop {
            let Found { reaper, rests, new } = self.find(command).await?;
            let from = command.template.as_ref().filter(|_| reaper.permit.is_some());
            let frame = wire::encode_run(command, from, has_input)
                .map_err(|wire::HasNul(s)| SpawnError::Nul(s))?;
            let Reaper { number, socket, permit } = reaper;
            let failed = |cause| SpawnError::HandOver { program: command.program.clone(), cause };
            let socket = sys::watch(socket).map_err(failed)?;
            match send(socket.get_ref(), &frame, &files).await {
                Ok(()) => {}
                // It could not be made, or failed at once: what it has said is the answer.
                Err(error) if wire::is_gone(&error) && new && wire::has_answer(&socket) => {}
                // It was killed while it was idle, and has seen nothing of the command.
                Err(error) if wire::is_gone(&error) && !new => continue,
                Err(error) if wire::is_gone(&error) && tries > 0 => {
                    if let Some(why) = self.last_words(number).await {
                        return Err(failed(io::Error::other(why)));
                    }
                    tries -= 1;
                    continue;
                }
                Err(cause) => return Err(failed(cause)),
            }
            let kept = Kept { number, socket, permit, rests };
            return Ok(Process::new(self.clone(), kept, command));
        }
    }

    /// Has the reaper go on that does not answer, should it have been stopped (SIGSTOP), which its own command can do.
    pub(crate) async fn wake(&self, number: u64) {
        if let Some(spawn_server) = self.shared.helper.spawn_server.lock().await.as_mut()
            && let Err(error) = spawn_server.wake(number).await
        {
            tracing::warn!(%error, "cannot have a helper process woken");
        }
    }

    /// Has the reaper killed that does not answer, and whatever it keeps.
    pub(crate) async fn kill(&self, number: u64) {
        if let Some(spawn_server) = self.shared.helper.spawn_server.lock().await.as_mut()
            && let Err(error) = spawn_server.kill(number).await
        {
            tracing::warn!(%error, "cannot have a helper process killed");
        }
    }

    /// Why the spawn server failed, or has no reaper with that number, if it has said so.
    pub(crate) async fn last_words(&self, number: u64) -> Option<String> {
        self.shared.helper.spawn_server.lock().await.as_mut()?.last_words(number)
    }

    /// Takes back a reaper that keeps no command any more.
    pub(crate) fn put_idle(&self, reaper: Reaper) {
        self.shared.pool.put_idle(reaper);
    }

    /// Notes that the command's template was of no use.
    pub(crate) fn rest(&self, template: &Arc<Template>, reason: &str) {
        self.shared.pool.rest(template, reason);
    }

    /// A reaper for the command and, if it is not to be asked for its template, perhaps the reason.
    async fn find(&self, command: &Command) -> Result<Found, SpawnError> {
        let (reaper, permit, rests) = match self.shared.pool.find(command.template.as_ref()) {
            Source::Template(Ok(reaper)) => (Some(reaper), None, None),
            Source::Template(Err(permit)) => (None, Some(permit), None),
            Source::Program(reaper, rests) => (reaper, None, rests),
        };
        Ok(match reaper {
            Some(reaper) => Found { reaper, rests, new: false },
            None => Found { reaper: self.make(command, permit).await?, rests, new: true },
        })
    }

    async fn make(&self, command: &Command, permit: Option<Permit>) -> Result<Reaper, SpawnError> {
        let mut spawn_server = self.shared.helper.spawn_server.lock().await;
        let made = match self.running(&mut spawn_server).await?.make().await {
            // It was killed: there can be another one.
            Err(error) if wire::is_gone(&error) => {
                *spawn_server = None;
                self.running(&mut spawn_server).await?.make().await
            }
            other => other,
        };
        let (number, socket) =
            made.map_err(|cause| SpawnError::HandOver { program: command.program.clone(), cause })?;
        Ok(Reaper { number, socket, permit })
    }

    async fn running<'a>(
        &self,
        spawn_server: &'a mut Option<Launched>,
    ) -> Result<&'a mut Launched, SpawnError> {
        if spawn_server.is_none() {
            let helper = self.shared.helper.program.as_deref();
            let program = helper.unwrap_or(Path::new(OWN_PROGRAM));
            let failed = |cause| SpawnError::Helper { program: program.to_owned(), cause };
            if helper.is_none() && !hook::is_in_this_program().map_err(failed)? {
                return Err(SpawnError::NoHelper);
            }
            let launched = Launched::start(program).await.map_err(failed)?;
            tracing::debug!(protections = ?launched.protections(), "helper process started");
            *spawn_server = Some(launched);
        }
        spawn_server.as_mut().ok_or(SpawnError::NoHelper)
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor")
            .field("helper", &self.shared.helper.program)
            .finish_non_exhaustive()
    }
}

/// What is to keep a command.
struct Found {
    reaper: Reaper,
    /// Why the command's template is left alone, if it is.
    rests: Option<String>,
    /// Whether it was made for the command.
    new: bool,
}

/// Sends a frame, the files with its first byte. The socket is watched for the answer alone: were it
/// watched for room as well, the launcher would be woken each time the reaper reads.
async fn send(socket: &UnixStream, frame: &[u8], files: &[RawFd]) -> io::Result<()> {
    let (mut rest, mut files) = (frame, files);
    while !rest.is_empty() {
        match wire::send(socket.as_raw_fd(), rest, files) {
            Ok(sent) => (rest, files) = (&rest[sent..], &[]),
            Err(error) if wire::is_full(&error) => tokio::time::sleep(RETRY).await,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// How long to wait when the request is larger than the socket's buffer, or the user has too many
/// files under way between processes.
const RETRY: std::time::Duration = std::time::Duration::from_millis(1);
