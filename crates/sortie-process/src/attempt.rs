//! One command under way: what is due next, and when it is over.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::end_watch::EndWatch;
use crate::fork_server::{ForkServer, Told};
use crate::late;
use crate::logs::Logs;
use crate::reaper::Reaper;
use crate::sys::{self, Reaped};
use crate::waiting::wait;
use crate::wire::{self, Kind, Request};
use crate::{Exit, Start, Status, Stopped, Usage, tree};

/// What the first process leaves behind may end by itself for so long …
const SETTLE: Duration = Duration::from_millis(20);
/// … and has so long, at most, after SIGTERM.
const TIDY: Duration = Duration::from_millis(500);
/// How long to wait before SIGKILL is sent again, to what has appeared since: at first …
const AGAIN: Duration = Duration::from_millis(5);
/// … and in the end, where the kernel is slow to let a process go.
const AGAIN_AT_LAST: Duration = Duration::from_millis(500);
/// By how much its end may be seen late, where it cannot be known when it was, and the command be taken for one that
/// ended in time: the reaper waits for its turn, too.
const SLACK: Duration = Duration::from_secs(1);

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

#[expect(clippy::struct_excessive_bools, reason = "each is something that has happened or not")]
pub(crate) struct Attempt {
    /// The command's first process, once there is one.
    first: Option<Pid>,
    /// The reaper's template, while it is there …
    template: Option<Pid>,
    /// … which outlives the command once that has its first process, and is part of it until then.
    template_end: Option<Status>,
    pub(crate) logs: Logs,
    grace: Duration,
    orphan_grace: bool,
    started: Instant,
    /// When the command is to be stopped.
    time_limit: Option<Instant>,
    launcher_there: bool,
    told_to_leave: bool,
    phase: Phase,
    /// When the phase's next step is due.
    due: Option<Instant>,
    status: Option<Status>,
    /// When the first process ended, where that is seen after the time limit.
    ended_late: Option<Instant>,
    stopped: Option<Stopped>,
    stragglers: u32,
    /// Whether the launcher was told that the first process has ended, and others are left.
    told_left: bool,
    usage: Usage,
    again: Duration,
}

/// What came of waiting for the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It can be read from, or is gone.
    Something,
    /// It said nothing in time.
    Nothing,
    /// The command was stopped, and nothing of it or of the template is left.
    Stopped,
}

/// A command whose last process is gone.
pub(crate) struct Ended {
    attempt: Attempt,
    status: Status,
    /// Whether the template that forked its first process was lost before it told how that ended.
    lost: bool,
}

impl Attempt {
    /// A command that has the limits of its request from now on, and no process yet.
    pub(crate) fn new(request: &Request<'_>, logs: Logs) -> Self {
        let started = Instant::now();
        let time_limit = request.time.and_then(|time| started.checked_add(time));
        Self {
            first: None,
            template: None,
            template_end: None,
            logs,
            grace: request.grace,
            orphan_grace: request.orphan_grace,
            started,
            time_limit,
            launcher_there: true,
            told_to_leave: false,
            due: time_limit,
            phase: Phase::Running,
            status: None,
            ended_late: None,
            stopped: None,
            stragglers: 0,
            told_left: false,
            usage: Usage::default(),
            again: AGAIN,
        }
    }

    /// Says which process is the reaper's template.
    pub(crate) fn set_template(&mut self, template: Option<Pid>) {
        self.template = template;
    }

    /// Whether the template is there, as far as is known.
    pub(crate) fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// How the template ended, if it has.
    pub(crate) fn template_end(&self) -> Option<Status> {
        self.template_end
    }

    /// Whether the command is to be stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Waits for the template to say something on `socket`. Until the command has a process of its
    /// own, whatever stops the command stops the template.
    pub(crate) fn hear(
        &mut self,
        reaper: &Reaper,
        socket: BorrowedFd<'_>,
        by: Instant,
    ) -> io::Result<Heard> {
        loop {
            let some_left = self.reap();
            if self.is_stopped() {
                if !some_left {
                    return Ok(Heard::Stopped);
                }
                self.turn(reaper, None)?;
            } else if self.template.is_none() {
                return Ok(Heard::Something);
            } else if Instant::now() >= by {
                return Ok(Heard::Nothing);
            } else if self.turn(reaper, Some((socket, Some(by))))? && !self.is_stopped() {
                return Ok(Heard::Something);
            }
        }
    }

    /// Ends the template, with all it has made, so that the command can be started in another way.
    pub(crate) fn end_template(&mut self, reaper: &Reaper) -> io::Result<()> {
        self.enter(Phase::Killing, self.again);
        while self.reap() {
            self.turn(reaper, None)?;
        }
        self.again = AGAIN;
        self.template_end = None;
        self.phase = Phase::Running;
        self.due = self.time_limit;
        Ok(())
    }

    /// Keeps the command, which has this first process (or was stopped before it had one), until none
    /// of its processes is left. `fork_server` is the template that forked it, and tells of its end.
    ///
    /// An error where the reaper was told to leave meanwhile, by SIGTERM: the spawn server is gone, or the
    /// command meddles. Nobody has asked for its end, so that there is no answer to give.
    pub(crate) fn run(
        mut self,
        reaper: &Reaper,
        first: Option<Pid>,
        fork_server: Option<&mut ForkServer>,
    ) -> io::Result<Ended> {
        self.first = first;
        let mut end_watch = fork_server.map(EndWatch::new);
        let mut lost = false;
        loop {
            self.look_for_late_end();
            lost |= self.listen(&mut end_watch);
            if !self.reap() {
                // Its last word may have come with its end.
                lost |= self.listen(&mut end_watch);
                break;
            }
            if self.status.is_some() && !std::mem::replace(&mut self.told_left, true) {
                wire::tell_left(&reaper.socket);
            }
            let heard = end_watch.as_ref().map(|end_watch| (end_watch.fork_server.socket(), None));
            self.turn(reaper, heard)?;
        }
        if self.told_to_leave {
            return Err(io::Error::other("the helper process was told to end (SIGTERM)"));
        }
        if self.logs.cut() && self.stopped.is_none() {
            self.stopped = Some(Stopped::LogLimit);
        }
        let killed = Status::Signaled(Signal::SIGKILL as i32);
        let before = if first.is_none() { self.template_end } else { None };
        let status = self.status.or(before).unwrap_or(killed);
        Ok(Ended { attempt: self, status, lost })
    }

    /// Takes in what the template tells of the first process, until that has ended. Whether the template is lost, and
    /// with it the first process.
    fn listen(&mut self, end_watch: &mut Option<EndWatch<'_>>) -> bool {
        let Some(heard) = end_watch else { return false };
        let told = heard.fork_server.told();
        match told {
            Told::Nothing if heard.hangs(self.first) => self.kill_template(),
            Told::Nothing => {}
            Told::Ended { status, usage, ago } => {
                if let Some(ago) = ago {
                    self.note_end(Instant::now().checked_sub(ago));
                }
                self.first_has_ended(status, &usage);
            }
            Told::Nonsense => {
                self.kill_template();
                // What is left of the command: how its first process ends, nobody tells any more.
                if self.phase != Phase::Killing {
                    self.enter(Phase::Killing, self.again);
                }
            }
        }
        if told != Told::Nothing {
            *end_watch = None;
        }
        told == Told::Nonsense
    }

    fn kill_template(&self) {
        if let Some(template) = self.template {
            let _ = kill(template, Signal::SIGKILL);
        }
    }

    /// Does what is due and waits for something to happen, which may be that `template` can be read;
    /// whether it can.
    fn turn(
        &mut self,
        reaper: &Reaper,
        template: Option<(BorrowedFd<'_>, Option<Instant>)>,
    ) -> io::Result<bool> {
        self.step(Instant::now());
        let signals = reaper.signals.as_fd();
        let socket = if self.launcher_there { reaper.socket.as_fd() } else { signals };
        let (template, by) = template.unzip();
        let until = [self.next(), by.flatten()].into_iter().flatten().min();
        let [message, signal, heard] = wait([socket, signals, template.unwrap_or(signals)], until)?;
        if signal && reaper.signals.drain().end {
            self.told_to_leave = true;
            self.part(reaper);
        }
        if message && self.launcher_there {
            match wire::read_frame(&reaper.socket)?.map(|frame| frame.kind) {
                Some(Kind::Stop) => self.stop(Phase::Ending),
                Some(Kind::Kill) => self.stop(Phase::Killing),
                Some(Kind::Run) => return Err(io::ErrorKind::InvalidData.into()),
                None => {
                    self.launcher_there = false;
                    self.part(reaper);
                }
            }
        }
        Ok(template.is_some() && heard)
    }

    /// Collects the processes that have ended; whether any are left.
    fn reap(&mut self) -> bool {
        loop {
            match sys::reap() {
                Reaped::None => return false,
                Reaped::AllRunning => return !self.only_template_left(),
                Reaped::Child(pid, status, _) if Some(pid) == self.template => {
                    self.template = None;
                    self.template_end = Some(status);
                }
                Reaped::Child(pid, status, usage)
                    if Some(pid) == self.first && self.status.is_none() =>
                {
                    self.first_has_ended(status, &usage);
                }
                Reaped::Child(_, status, usage) => {
                    self.usage.add(&usage);
                    if self.status.is_some() && matches!(status, Status::Signaled(_)) {
                        self.stragglers += 1;
                    }
                }
            }
        }
    }

    /// Whether only the template is left of what the reaper has below it, and that may stay.
    fn only_template_left(&self) -> bool {
        self.status.is_some() && self.template.is_some_and(tree::is_only_child)
    }

    /// Looks when the first process ended, if it has ended and the time limit has passed: before it is collected, as
    /// nothing tells it afterwards. A reaper that was stopped sees late what may have ended in time.
    fn look_for_late_end(&mut self) {
        if self.phase == Phase::Running
            && self.is_past_limit(Instant::now())
            && let Some(first) = self.first.filter(|first| tree::is_over(*first))
        {
            self.note_end(late::ended_at(first));
        }
    }

    /// Notes when the first process ended, as the earliest of what is said of it; `None` if that is not known.
    fn note_end(&mut self, ended: Option<Instant>) {
        let now = Instant::now();
        if self.is_past_limit(now) {
            let ended = ended.or_else(|| now.checked_sub(SLACK)).unwrap_or(now);
            self.ended_late = Some(self.ended_late.map_or(ended, |other| other.min(ended)));
        }
    }

    fn is_past_limit(&self, time: Instant) -> bool {
        self.time_limit.is_some_and(|limit| time >= limit)
    }

    /// Whether the first process ended in time though that is seen after the limit.
    fn ended_in_time(&self) -> bool {
        self.ended_late.is_some_and(|ended| !self.is_past_limit(ended))
    }

    fn first_has_ended(&mut self, status: Status, usage: &Usage) {
        self.usage.add(usage);
        self.status = Some(status);
        if self.phase == Phase::Running {
            if self.ended_late.is_none() {
                self.note_end(None);
            }
            if self.ended_late.is_some() && !self.ended_in_time() {
                self.stopped.get_or_insert(Stopped::TimeLimit);
            }
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
                // Its template may not have told yet that it is over.
                if !self.ended_in_time() {
                    self.stopped.get_or_insert(Stopped::TimeLimit);
                }
                self.enter(Phase::Ending, self.grace);
            }
            Phase::Settling => self.enter(Phase::Ending, TIDY.min(self.grace)),
            Phase::Ending => self.enter(Phase::Killing, self.again),
            Phase::Killing => {
                self.again = (self.again * 2).min(AGAIN_AT_LAST);
                self.enter(Phase::Killing, self.again);
            }
        }
    }

    /// Stops the command because nobody waits for it any more.
    fn part(&mut self, reaper: &Reaper) {
        if self.orphan_grace {
            reaper.ask_for_time();
            self.stop(Phase::Ending);
        } else {
            self.stop(Phase::Killing);
        }
    }

    /// Stops the command because the launcher asks for it or is gone.
    fn stop(&mut self, phase: Phase) {
        let later = self.phase == Phase::Killing || self.phase == phase;
        if self.status.is_none() {
            self.stopped.get_or_insert(Stopped::Asked);
        }
        if !later {
            let time = if phase == Phase::Ending { self.grace } else { self.again };
            self.enter(phase, time);
        }
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        let spared = self.template.filter(|_| self.first.is_some());
        // A process list that cannot be read may be there later.
        let send = |signal| drop(tree::signal(signal, spared));
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
        self.attempt.stopped.is_none() && self.status == Status::Signaled(Signal::SIGKILL as i32)
    }

    /// Whether it was the end of its template that ended it, which killed it or told no more of it.
    pub(crate) fn lost_with_template(&self) -> bool {
        self.lost && self.killed_from_outside()
    }

    /// Whether the template is still there.
    pub(crate) fn has_template(&self) -> bool {
        self.attempt.has_template()
    }

    pub(crate) fn exit(
        self,
        start: Start,
        started_at: SystemTime,
        ready: bool,
        out_of_memory: bool,
    ) -> Exit {
        let Self { attempt, status, .. } = self;
        Exit {
            start,
            status,
            stopped: attempt.stopped,
            out_of_memory,
            ready,
            stragglers: attempt.stragglers,
            usage: attempt.usage,
            started_at,
            // Not the time for which the reaper was stopped.
            running: attempt.ended_late.map_or_else(
                || attempt.started.elapsed(),
                |ended| ended.saturating_duration_since(attempt.started),
            ),
        }
    }
}
