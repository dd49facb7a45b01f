//! A command under way, as the launcher sees it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep, sleep_until};

use crate::pool::{Permit, Reaper};
use crate::wire::{self, Kind, Reply};
use crate::{Command, Exit, Start, Supervisor, Template};

/// How much later than it should a reaper may answer before it is killed, and how much later
/// still the spawn server may have cleaned up after it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait when the socket takes no more requests to stop.
const RETRY: Duration = Duration::from_millis(10);

/// A running command. Dropping it kills the command, with all its processes; or stops it, if its limits grant it
/// an [`orphan_grace`](crate::Limits::orphan_grace).
#[derive(Debug)]
pub struct Process {
    supervisor: Supervisor,
    /// The reaper's number with the spawn server.
    number: u64,
    /// The reaper's socket; `None` once the command is over.
    socket: Option<AsyncFd<UnixStream>>,
    /// The reaper's claim to the template.
    permit: Option<Permit>,
    template: Option<Arc<Template>>,
    /// Why the template was not asked, if there is a reason.
    rests: Option<String>,
    /// The part of the reply that has come.
    received: Vec<u8>,
    /// The part of a request to stop that has not gone out.
    unsent: Vec<u8>,
    program: OsString,
    grace: Duration,
    /// When an answer has to be there; `None` for as long as the command has no time limit.
    overdue: Option<Instant>,
    help: Help,
    /// Why its reaper fails, as that says.
    failed: Option<String>,
    /// Whether it is to be told that the first process has ended and others are left.
    left: bool,
    ended: Option<Result<Exit, RunError>>,
}

/// What was done about a reaper that does not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Help {
    Nothing,
    Woken,
    Killed,
}

/// What a command was handed over to.
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) socket: AsyncFd<UnixStream>,
    pub(crate) permit: Option<Permit>,
    /// Why the command's template is left alone, if it is.
    pub(crate) rests: Option<String>,
}

/// What happens to a command.
#[derive(Debug)]
pub enum News {
    /// Its first process has ended, and others are left. They have a moment to end by themselves; then they are ended.
    FirstEnded,
    /// Its last process is gone, or nothing more is heard of it.
    Ended(Result<Exit, RunError>),
}

/// Why nothing can be said of how a command ended.
#[derive(Debug, Clone, Error)]
pub enum RunError {
    /// It was never started.
    #[error("cannot run {program:?}: cannot {doing}: {cause}")]
    NotStarted {
        /// The command's program.
        program: OsString,
        /// The step that failed, such as `execute` or `enter the working directory`.
        doing: String,
        /// What the kernel said.
        cause: Arc<io::Error>,
    },
    /// A process that kept it, or its template while it ran, failed, or was killed from outside or by the command itself.
    /// Whatever the command had started has been killed, but how it ended is not known.
    #[error("the helper process that kept {program:?} is gone{}", because(why.as_deref()))]
    Lost {
        /// The command's program.
        program: OsString,
        /// What the helper could not do and why, if it has said so.
        why: Option<String>,
    },
}

fn because(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

impl Process {
    pub(crate) fn new(supervisor: Supervisor, kept: Kept, command: &Command) -> Self {
        let Kept { number, socket, permit, rests } = kept;
        let limits = &command.limits;
        let longest =
            limits.time.and_then(|time| time.checked_add(limits.grace.saturating_add(PATIENCE)));
        Self {
            supervisor,
            number,
            socket: Some(socket),
            permit,
            template: command.template.as_ref().map(|from| from.template.clone()),
            rests,
            received: Vec::new(),
            unsent: Vec::new(),
            program: command.program.clone(),
            grace: limits.grace,
            overdue: longest.and_then(|longest| Instant::now().checked_add(longest)),
            help: Help::Nothing,
            failed: None,
            left: false,
            ended: None,
        }
    }

    /// Waits until the command's last process is gone. May be dropped and called again, and answers the
    /// same each time.
    pub async fn wait(&mut self) -> Result<Exit, RunError> {
        loop {
            if let News::Ended(ended) = self.news().await {
                return ended;
            }
        }
    }

    /// Waits for the next thing that happens. May be dropped and called again; once the command is over it answers the same
    /// each time.
    pub async fn news(&mut self) -> News {
        loop {
            if std::mem::take(&mut self.left) {
                return News::FirstEnded;
            }
            if let Some(ended) = &self.ended {
                return News::Ended(ended.clone());
            }
            let Some(socket) = &self.socket else { return News::Ended(Err(self.lost(None))) };
            let overdue = self.overdue;
            tokio::select! {
                biased;
                read = receive(socket, &mut self.received) => match read {
                    Ok(0) => self.lose(None).await,
                    Err(error) => self.lose(Some(error)).await,
                    Ok(_) => {
                        if let Err(error) = self.read_reply() {
                            self.lose(Some(error)).await;
                        }
                    }
                },
                () = sleep(RETRY), if !self.unsent.is_empty() => self.send(),
                () = sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => {
                    self.ask_for_help().await;
                }
            }
        }
    }

    /// Does something about a reaper that does not answer in time.
    async fn ask_for_help(&mut self) {
        let (help, time) = match self.help {
            Help::Nothing => (Help::Woken, PATIENCE),
            Help::Woken => (Help::Killed, 2 * PATIENCE),
            Help::Killed => {
                let why = "it does not end though it was killed".to_owned();
                return self.end(Err(self.lost(Some(why))));
            }
        };
        (self.help, self.overdue) = (help, Some(Instant::now() + time));
        if help == Help::Woken {
            self.supervisor.wake(self.number).await;
        } else {
            self.supervisor.kill(self.number).await;
        }
    }

    fn lost(&self, why: Option<String>) -> RunError {
        RunError::Lost { program: self.program.clone(), why }
    }

    /// How the command ended will not be known: why not is what its reaper has said, or else the spawn server.
    async fn lose(&mut self, error: Option<io::Error>) {
        let said = self.failed.take();
        let said =
            if said.is_some() { said } else { self.supervisor.last_words(self.number).await };
        // It ends with an error where it was killed and had not read all that was sent to it.
        let error = error.filter(|error| !wire::is_gone(error));
        let why = said.or_else(|| Some(format!("cannot read its answer: {}", error?)));
        let killed = (self.help == Help::Killed).then(|| "it did not answer in time".to_owned());
        self.end(Err(self.lost(why.or(killed))));
    }

    /// Asks the command to end: SIGTERM to all its processes and, after the grace period of its
    /// [`Limits`](crate::Limits), SIGKILL. [`Process::wait`] tells when it has.
    pub fn stop(&mut self) {
        self.ask(Kind::Stop, self.grace);
    }

    /// Kills all processes of the command. [`Process::wait`] tells when they are gone.
    pub fn kill(&mut self) {
        self.ask(Kind::Kill, Duration::ZERO);
    }

    fn ask(&mut self, kind: Kind, time: Duration) {
        if self.socket.is_none() {
            return;
        }
        self.unsent.extend(wire::bare_frame(kind));
        // At once, whether or not anyone waits; what does not go now, `wait` sends.
        self.send();
        let then = Instant::now().checked_add(time.saturating_add(PATIENCE));
        self.overdue = [self.overdue, then].into_iter().flatten().min();
    }

    /// Sends what goes of the requests. Where nobody is at the other end, reading tells.
    fn send(&mut self) {
        let Some(socket) = &self.socket else { return };
        let sent = wire::send(socket.as_raw_fd(), &self.unsent, &[]).unwrap_or(0);
        self.unsent.drain(..sent);
    }

    fn read_reply(&mut self) -> io::Result<()> {
        match wire::take_reply(&mut self.received)? {
            None => {}
            Some(Reply::Left) => {
                self.left = true;
                return self.read_reply();
            }
            Some(Reply::Ended(exit)) => {
                let exit = self.note_start(exit);
                self.end(Ok(exit));
            }
            Some(Reply::NotStarted { doing, errno }) => {
                let cause = Arc::new(io::Error::from_raw_os_error(errno));
                let program = self.program.clone();
                self.end(Err(RunError::NotStarted { program, doing, cause }));
            }
            // It is lost when its socket is closed, which is when nothing is left of it.
            Some(Reply::Failed { why }) => self.failed = Some(why),
        }
        Ok(())
    }

    /// Notes what became of the template.
    fn note_start(&mut self, mut exit: Exit) -> Exit {
        if let Some(reason) = self.rests.take() {
            exit.start = Start::Fallback { reason };
        } else if let (Start::Fallback { reason }, Some(template)) = (&exit.start, &self.template) {
            self.supervisor.rest(template, reason);
        }
        exit
    }

    fn end(&mut self, ended: Result<Exit, RunError>) {
        let lost = matches!(ended, Err(RunError::Lost { .. }));
        self.ended = Some(ended);
        let Some(socket) = self.socket.take() else { return };
        if !lost {
            let socket = socket.into_inner();
            let permit = self.permit.take();
            self.supervisor.put_idle(Reaper { number: self.number, socket, permit });
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            // Closing would not do where a forked copy of the host has the socket, too.
            let _ = socket.get_ref().shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Receives the next bytes from the reaper, when there are some; their number, 0 at the end of the
/// stream. Nothing is lost if it is dropped before it is done.
async fn receive(socket: &AsyncFd<UnixStream>, received: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 512];
    loop {
        let mut ready = socket.readable().await?;
        if let Ok(read) = ready.try_io(|socket| socket.get_ref().read(&mut buffer)) {
            let read = read?;
            received.extend_from_slice(&buffer[..read]);
            return Ok(read);
        }
    }
}
