//! One command under way: what is due next, and when it is over.

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::logs::Logs;
use crate::shepherd::Shepherd;
use crate::sys::{self, Reaped};
use crate::waiting::wait;
use crate::wire::{self, Kind};
use crate::{Exit, Status, Stopped, Usage, tree};

/// What the first process leaves behind may end by itself for so long …
const SETTLE: Duration = Duration::from_millis(20);
/// … and has so long, at most, after SIGTERM.
const TIDY: Duration = Duration::from_millis(500);
/// How long to wait before SIGKILL is sent again, to what has appeared since: at first …
const AGAIN: Duration = Duration::from_millis(5);
/// … and in the end, where the kernel is slow to let a process go.
const AGAIN_AT_LAST: Duration = Duration::from_millis(500);

/// What of a command matters once it runs.
pub(crate) struct Command {
    /// Its first process.
    pub(crate) first: Pid,
    pub(crate) time: Option<Duration>,
    pub(crate) grace: Duration,
}

/// What is due when the time comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The command runs; its time limit is due.
    Running,
    /// The first process has ended, others have not; SIGTERM is due.
    Settling,
    /// SIGTERM was sent; SIGKILL is due.
    Ending,
    /// SIGKILL was sent; it is due again.
    Killing,
}

pub(crate) struct Attempt {
    command: Command,
    logs: Logs,
    started: Instant,
    phase: Phase,
    /// When the phase's next step is due.
    due: Option<Instant>,
    status: Option<Status>,
    stopped: Option<Stopped>,
    stragglers: u32,
    usage: Usage,
    again: Duration,
}

/// A command whose last process is gone.
pub(crate) struct Ended(Attempt, Status);

impl Attempt {
    pub(crate) fn new(command: Command, logs: Logs) -> Self {
        let started = Instant::now();
        Self {
            due: command.time.and_then(|time| started.checked_add(time)),
            command,
            logs,
            started,
            phase: Phase::Running,
            status: None,
            stopped: None,
            stragglers: 0,
            usage: Usage::default(),
            again: AGAIN,
        }
    }

    /// Keeps the command until none of its processes is left.
    ///
    /// An error where the shepherd was told to leave meanwhile, by SIGTERM: the warden is gone, or the
    /// command meddles. Nobody has asked for its end, so that there is no answer to give.
    pub(crate) fn run(mut self, shepherd: &Shepherd) -> io::Result<Ended> {
        let mut launcher_there = true;
        let mut told_to_leave = false;
        loop {
            let some_left = self.reap();
            if !some_left && told_to_leave {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if !some_left {
                if self.logs.cut() && self.stopped.is_none() {
                    self.stopped = Some(Stopped::LogLimit);
                }
                let status = self.status.unwrap_or(Status::Signaled(Signal::SIGKILL as i32));
                return Ok(Ended(self, status));
            }
            self.step(Instant::now());
            let socket =
                if launcher_there { shepherd.socket.as_fd() } else { shepherd.signals.as_fd() };
            let [message, signal] = wait([socket, shepherd.signals.as_fd()], self.next())?;
            if signal && shepherd.signals.drain().end {
                told_to_leave = true;
                self.stop(Phase::Killing);
            }
            if message && launcher_there {
                match wire::read_frame(&shepherd.socket)?.map(|frame| frame.kind) {
                    Some(Kind::Stop) => self.stop(Phase::Ending),
                    Some(Kind::Kill) => self.stop(Phase::Killing),
                    Some(Kind::Run) => return Err(io::ErrorKind::InvalidData.into()),
                    None => {
                        launcher_there = false;
                        self.stop(Phase::Killing);
                    }
                }
            }
        }
    }

    /// Collects the processes that have ended; whether any are left.
    fn reap(&mut self) -> bool {
        loop {
            match sys::reap() {
                Reaped::None => return false,
                Reaped::AllRunning => return true,
                Reaped::Child(pid, status, usage) => {
                    self.usage.add(&usage);
                    if pid == self.command.first {
                        self.status = Some(status);
                        self.begin_settling();
                    } else if self.status.is_some() && matches!(status, Status::Signaled(_)) {
                        self.stragglers += 1;
                    }
                }
            }
        }
    }

    fn begin_settling(&mut self) {
        if self.phase == Phase::Running {
            self.enter(Phase::Settling, SETTLE);
        }
    }

    /// Does what is due.
    fn step(&mut self, now: Instant) {
        if self.phase != Phase::Killing && self.logs.too_large(now) {
            self.stopped.get_or_insert(Stopped::LogLimit);
            return self.enter(Phase::Killing, self.again);
        }
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        match self.phase {
            Phase::Running => {
                self.stopped.get_or_insert(Stopped::TimeLimit);
                self.enter(Phase::Ending, self.command.grace);
            }
            Phase::Settling => self.enter(Phase::Ending, TIDY.min(self.command.grace)),
            Phase::Ending => self.enter(Phase::Killing, self.again),
            Phase::Killing => {
                self.again = (self.again * 2).min(AGAIN_AT_LAST);
                self.enter(Phase::Killing, self.again);
            }
        }
    }

    /// Stops the command because the launcher asks for it or is gone.
    fn stop(&mut self, phase: Phase) {
        let later = self.phase == Phase::Killing || self.phase == phase;
        if self.status.is_none() {
            self.stopped.get_or_insert(Stopped::Asked);
        }
        if !later {
            let time = if phase == Phase::Ending { self.command.grace } else { self.again };
            self.enter(phase, time);
        }
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        // There is nothing to spare, and a process list that cannot be read may be there later.
        let send = |signal| drop(tree::signal(signal, &HashSet::new()));
        match phase {
            Phase::Running | Phase::Settling => {}
            Phase::Ending => {
                send(Signal::SIGTERM);
                send(Signal::SIGCONT);
            }
            Phase::Killing => send(Signal::SIGKILL),
        }
        self.phase = phase;
        self.due = Instant::now().checked_add(time);
    }

    /// When to look again if nothing happens.
    fn next(&self) -> Option<Instant> {
        let look = (self.phase != Phase::Killing).then(|| self.logs.next_look());
        [self.due, look].into_iter().flatten().min()
    }
}

impl Ended {
    /// Whether SIGKILL ended the first process, and sortie did not send it.
    pub(crate) fn killed_from_outside(&self) -> bool {
        self.0.stopped.is_none() && self.1 == Status::Signaled(Signal::SIGKILL as i32)
    }

    pub(crate) fn exit(self, started_at: SystemTime, ready: bool, out_of_memory: bool) -> Exit {
        let Self(attempt, status) = self;
        Exit {
            status,
            stopped: attempt.stopped,
            out_of_memory,
            ready,
            stragglers: attempt.stragglers,
            usage: attempt.usage,
            started_at,
            running: attempt.started.elapsed(),
        }
    }
}
