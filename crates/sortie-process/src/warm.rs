//! A reaper with a template: asks it for a command's first process, replaces it, ends it.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, pipe2};

use crate::attempt::Attempt;
use crate::fork_server::{self, Answer, ForkServer};
use crate::reaper::Reaper;
use crate::sys::{self, Reaped};
use crate::wire::{Request, TemplateSpec};
use crate::{Start, tree};

/// A template, and the bytes it was asked for with.
pub(crate) struct Kept {
    spec: Vec<u8>,
    pub(crate) fork_server: ForkServer,
}

/// Whether a command's first process was forked by a template.
pub(crate) enum Forked {
    Yes(Pid),
    No,
    /// The command is over before it had one.
    Stopped,
}

impl Reaper {
    /// Has the command's first process forked by its template, if it has one.
    ///
    /// A template that was there and is of no use any more is replaced; a new one that is of no use
    /// leaves the command to be executed.
    pub(crate) fn fork_first(
        &mut self,
        attempt: &mut Attempt,
        request: &Request<'_>,
        files: [RawFd; 2],
    ) -> io::Result<(Start, Forked)> {
        let mut kept = self.template.take();
        attempt.set_template(kept.as_ref().map(|kept| kept.fork_server.pid));
        let Some(wanted) = &request.template else {
            self.template = kept;
            return Ok((Start::Cold, Forked::No));
        };
        let usable = |kept: &Kept| kept.spec == wanted.spec && !kept.fork_server.is_worn();
        let mut start = if kept.as_ref().is_some_and(usable) { Start::Warm } else { Start::Fresh };
        loop {
            if start == Start::Fresh && kept.take().is_some() {
                attempt.end_template(self)?;
                if attempt.is_stopped() {
                    return Ok((start, Forked::Stopped));
                }
            }
            let answer = match &mut kept {
                Some(kept) => self.ask(kept, attempt, wanted.told, files)?,
                None => match self.prepare(attempt, wanted.spec, request.log_bytes)? {
                    Ok(new) => self.ask(kept.insert(new), attempt, wanted.told, files)?,
                    Err(answer) => answer,
                },
            };
            match answer {
                Answer::Forked(pid) => {
                    self.template = kept;
                    return Ok((start, Forked::Yes(pid)));
                }
                Answer::Stopped => return Ok((start, Forked::Stopped)),
                Answer::No(_) if start == Start::Warm => start = Start::Fresh,
                Answer::No(reason) => {
                    attempt.end_template(self)?;
                    let forked = if attempt.is_stopped() { Forked::Stopped } else { Forked::No };
                    return Ok((Start::Fallback { reason }, forked));
                }
            }
        }
    }

    /// Starts a template and waits until it is ready.
    fn prepare(
        &mut self,
        attempt: &mut Attempt,
        spec: &[u8],
        log_bytes: u64,
    ) -> io::Result<Result<Kept, Answer>> {
        let read: TemplateSpec<'_> = postcard::from_bytes(spec).map_err(io::Error::other)?;
        let mut fork_server = match ForkServer::start(&read, &mut self.stack) {
            Ok(fork_server) => fork_server,
            Err(reason) => return Ok(Err(Answer::No(reason))),
        };
        attempt.set_template(Some(fork_server.pid));
        let prepared = fork_server.prepare(attempt, self, log_bytes)?;
        Ok(prepared.map(|()| Kept { spec: spec.to_vec(), fork_server }))
    }

    /// Asks the template for a process, and lets that go.
    fn ask(
        &self,
        kept: &mut Kept,
        attempt: &mut Attempt,
        told: &[u8],
        [stdout, stderr]: [RawFd; 2],
    ) -> io::Result<Answer> {
        let (reader, gate) = pipe2(OFlag::O_CLOEXEC)?;
        let files = [stdout, stderr, reader.as_raw_fd()];
        let answer = kept.fork_server.ask(attempt, self, told, &files)?;
        if matches!(answer, Answer::Forked(_)) {
            fork_server::go(gate);
        }
        Ok(answer)
    }

    /// Ends the template, if it is worn, while there is no command.
    pub(crate) fn tend_template(&mut self) {
        if self.template.take_if(|kept| kept.fork_server.is_worn()).is_none() {
            return;
        }
        while !matches!(sys::reap_all(), Reaped::None) {
            let _ = tree::signal(Signal::SIGKILL, None);
            // Not by the signals that come, which may be one to leave.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
