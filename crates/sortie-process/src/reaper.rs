//! The reaper: keeps one command at a time, from its start until its last process is gone.
//!
//! It is a subreaper, so every process of the command stays below it, and it has no other child but
//! its template, if it has one: when `wait` finds no other, nothing of the command is left. (A first
//! process that the template has forked is the template's child; that tells when it has ended.) It then
//! answers, and takes the next command. When the launcher's end of the socket closes, it kills what
//! runs (or stops it first, if its limits say so) and leaves.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid, pipe2, setsid};

use crate::attempt::Attempt;
use crate::failure::{self, Doing, Failure};
use crate::fork_server;
use crate::logs::Logs;
use crate::oom;
use crate::sys::{self, SpawnFailed};
use crate::waiting::{Signals, wait};
use crate::warm::{Forked, Kept};
use crate::wire::{self, Execution, Frame, Kind, Reply, Request};

/// Serves the launcher at the other end of `socket` until it leaves.
pub(crate) fn run(socket: &UnixStream, spawn_server: Pid) -> ! {
    // The other reapers' sockets have to close when their owners close them.
    let socket = match sys::keep_only(socket).doing("copy its socket") {
        Ok(socket) => UnixStream::from(socket),
        Err(failed) => {
            failure::tell_of_reaper(socket, failed.to_string());
            sys::leave(0)
        }
    };
    let failed = failure::attempt(|| {
        let socket = socket.try_clone().doing("copy its socket")?;
        Reaper::start(socket, spawn_server)?.serve()
    });
    if let Some(why) = failed {
        failure::tell_of_reaper(&socket, why);
    }
    sys::leave(0)
}

pub(crate) struct Reaper {
    pub(crate) socket: UnixStream,
    pub(crate) signals: Signals,
    spawn_server: Pid,
    oom_kills: oom::Kills,
    pub(crate) stack: Vec<u8>,
    pub(crate) template: Option<Kept>,
}

/// The two ends of a pipe: to read from, to write to.
type Pipe = (OwnedFd, OwnedFd);

impl Reaper {
    fn start(socket: UnixStream, spawn_server: Pid) -> Result<Self, Failure> {
        prctl::set_pdeathsig(Signal::SIGTERM).doing("set its death signal")?;
        prctl::set_child_subreaper(true).doing("become a subreaper")?;
        let _ = prctl::set_name(c"sortie-shepherd");
        setsid().doing("create a session")?;
        let signals = Signals::take().doing("take signals")?;
        if getppid() != spawn_server {
            return Err(Errno::ESRCH).doing("find the process that made it");
        }
        let oom_kills = oom::Kills::open();
        let stack = vec![0; 64 << 10];
        Ok(Self { socket, signals, spawn_server, oom_kills, stack, template: None })
    }

    fn serve(&mut self) -> Result<(), Failure> {
        loop {
            self.tend_template();
            let idle_until = self.template.as_ref().and_then(|kept| kept.fork_server.idle_until());
            let [message, signal] = wait([self.socket.as_fd(), self.signals.as_fd()], idle_until)
                .doing("wait for a request")?;
            if signal && self.signals.drain().end {
                return Ok(());
            }
            if !message {
                continue;
            }
            let frame = wire::read_frame(&self.socket).doing("read a request")?;
            let Some(Frame { kind, body, files }) = frame else { return Ok(()) };
            // A request to stop has crossed with the reply to the command it was meant for.
            if kind == Kind::Run {
                let reply = self.keep(&body, files)?;
                wire::write_reply(&self.socket, &reply).doing("answer a request")?;
                if let Some(kept) = &mut self.template {
                    kept.fork_server.rest();
                }
            }
        }
    }

    /// Tells the spawn server that it takes more than a moment until this reaper leaves.
    pub(crate) fn ask_for_time(&self) {
        if getppid() == self.spawn_server {
            let _ = kill(self.spawn_server, Signal::SIGUSR1);
        }
    }

    /// Runs the command of a request to its end.
    fn keep(&mut self, body: &[u8], files: Vec<OwnedFd>) -> Result<Reply, Failure> {
        let request = Request::decode(body).doing("decode a request")?;
        let mut files = files.into_iter();
        let (Some(stdout), Some(stderr)) = (files.next(), files.next()) else {
            // The kernel drops files where a process has too many, recvmsg(2).
            return Err(Errno::EMFILE).doing("receive the command's files");
        };
        let stdin = if request.has_input { files.next() } else { None };
        let outputs = [stdout.as_raw_fd(), stderr.as_raw_fd()];
        let started_at = SystemTime::now();
        let kills_before = self.oom_kills.lately();
        let logs = Logs::new([stdout.into(), stderr.into()], request.log_bytes);
        let mut attempt = Attempt::new(&request, logs);
        let forked = self.fork_first(&mut attempt, &request, outputs);
        let (start, forked) = forked.doing("have the command forked")?;
        let (first, gate) = match forked {
            Forked::Yes(pid) => (Some(pid), None),
            Forked::Stopped => (None, None),
            Forked::No => match self
                .execute(&request, stdin.as_ref(), outputs)
                .doing("prepare the command")?
            {
                Ok((pid, gate)) => (Some(pid), gate),
                Err(SpawnFailed { doing, errno }) => {
                    return Ok(Reply::NotStarted { doing: doing.into(), errno: errno as i32 });
                }
            },
        };
        let mut kept = self.template.take();
        let from = kept.as_mut().map(|kept| &mut kept.fork_server).filter(|_| start.is_forked());
        let ended = attempt.run(self, first, from).doing("wait for the command's end")?;
        self.template = kept.filter(|_| ended.has_template());
        let out_of_memory = ended.killed_from_outside() && self.oom_kills.now() > kills_before;
        if ended.lost_with_template() && !out_of_memory {
            return Err(io::Error::other("the template that forked it is gone"))
                .doing("tell how the command ended");
        }
        let ready = gate.is_none_or(|(reader, writer)| {
            drop(writer);
            nix::unistd::read(&reader, &mut [0]).is_ok_and(|bytes| bytes == 1)
        });
        Ok(Reply::Ended(ended.exit(start, started_at, ready, out_of_memory)))
    }

    /// Executes a command's program: its first process and, if it announces that it is ready, the
    /// pipe that it does so through.
    fn execute(
        &mut self,
        request: &Request<'_>,
        stdin: Option<&OwnedFd>,
        [stdout, stderr]: [RawFd; 2],
    ) -> io::Result<Result<(Pid, Option<Pipe>), SpawnFailed>> {
        let gate = if request.announces_ready {
            Some(pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?)
        } else {
            None
        };
        let mut files = vec![stdin.map_or(0, AsRawFd::as_raw_fd), stdout, stderr];
        files.extend(gate.as_ref().map(|(_, writer)| writer.as_raw_fd()));
        let execution = Execution::from_strings(request.strings, request.args)
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok(fork_server::execute(&execution, &request.cpus, &files, &mut self.stack)
            .map(|pid| (pid, gate)))
    }
}
