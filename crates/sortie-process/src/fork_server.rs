//! The reaper's template: started, asked to fork a command, replaced when it is worn.

use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sched::CpuSet;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::Pid;

use crate::attempt::{Attempt, Heard};
use crate::logs::Logs;
use crate::memory_file::{contents, output_file};
use crate::reaper::Reaper;
use crate::sys::{self, Image, SpawnFailed};
use crate::wire::{Execution, TemplateSpec};
use crate::{Status, Template, Usage, program};

/// How long a template that is ready may take to fork.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to end once it has hung up.
const LAST_MOMENTS: Duration = Duration::from_millis(100);
/// The longest line it may say.
const LONGEST: usize = 4096;

/// A template that runs.
pub(crate) struct ForkServer {
    pub(crate) pid: Pid,
    socket: UnixStream,
    heard: Vec<u8>,
    /// What it prints while it sets itself up.
    output: [File; 2],
    patience: Duration,
    idle: Duration,
    commands_left: u32,
    /// The resident memory it may have, in pages; known once it is ready.
    pages: Option<u64>,
    growth: u64,
    idle_since: Instant,
}

/// What the template answers.
pub(crate) enum Answer {
    /// This process is the command, and waits for the word to go.
    Forked(Pid),
    /// It is of no use, for this reason.
    No(String),
    /// The command was stopped meanwhile, and nothing is left of both.
    Stopped,
}

/// What the template tells of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing so far.
    Nothing,
    /// Its first process has ended like this, and so long ago, if it says.
    Ended { status: Status, usage: Usage, ago: Option<Duration> },
    /// What cannot be made sense of, or that it is gone.
    Nonsense,
}

/// A line of the template.
enum Line {
    Said(String),
    Not(Answer),
}

impl ForkServer {
    /// Starts a template.
    pub(crate) fn start(spec: &TemplateSpec<'_>, stack: &mut [u8]) -> Result<Self, String> {
        let why = |error: io::Error| format!("cannot start it: {error}");
        let (ours, theirs) = UnixStream::pair().map_err(why)?;
        ours.set_nonblocking(true).map_err(why)?;
        let output = [output_file(c"stdout").map_err(why)?, output_file(c"stderr").map_err(why)?];
        let execution = Execution::from_strings(spec.strings, spec.args).ok_or("no request")?;
        let [stdout, stderr] = output.each_ref().map(AsRawFd::as_raw_fd);
        let null = File::options().read(true).write(true).open("/dev/null").map_err(why)?;
        let files = [0, stdout, stderr, null.as_raw_fd(), theirs.as_raw_fd()];
        debug_assert_eq!(files.len(), Template::SOCKET as usize + 1);
        let pid = execute(&execution, &spec.cpus, &files, stack)
            .map_err(|SpawnFailed { doing, errno }| format!("cannot {doing}: {}", errno.desc()))?;
        Ok(Self {
            pid,
            socket: ours,
            heard: Vec::new(),
            output,
            patience: spec.patience,
            idle: spec.idle,
            commands_left: spec.commands,
            pages: None,
            growth: spec.growth,
            idle_since: Instant::now(),
        })
    }

    /// Waits until it has set itself up, with its output held to the limit of the command's logs.
    pub(crate) fn prepare(
        &mut self,
        attempt: &mut Attempt,
        reaper: &Reaper,
        log_bytes: u64,
    ) -> io::Result<Result<(), Answer>> {
        let by = Instant::now() + self.patience;
        let output = [self.output[0].try_clone()?, self.output[1].try_clone()?];
        let logs = mem::replace(&mut attempt.logs, Logs::new(output, log_bytes));
        let line = self.line(attempt, reaper, by)?;
        attempt.logs = logs;
        let line = match line {
            Line::Said(line) => line,
            Line::Not(answer) => return Ok(Err(answer)),
        };
        if line != "ready" {
            return Ok(Err(Answer::No(reason(&line))));
        }
        self.pages = pages(self.pid).map(|pages| pages + self.growth / page_size());
        Ok(Ok(()))
    }

    /// Asks the template to fork a command, which gets the request `told` and these files.
    pub(crate) fn ask(
        &mut self,
        attempt: &mut Attempt,
        reaper: &Reaper,
        told: &[u8],
        files: &[RawFd],
    ) -> io::Result<Answer> {
        self.commands_left = self.commands_left.saturating_sub(1);
        let by = Instant::now() + PATIENCE;
        if let Err(error) = self.send(told, files) {
            return Ok(Answer::No(format!("cannot ask it: {error}")));
        }
        let line = match self.line(attempt, reaper, by)? {
            Line::Said(line) => line,
            Line::Not(answer) => return Ok(answer),
        };
        let pid = line.strip_prefix("pid ").and_then(|pid| pid.parse().ok()).map(Pid::from_raw);
        Ok(match pid {
            None => Answer::No(reason(&line)),
            Some(pid) => Answer::Forked(pid),
        })
    }

    /// What it tells of its command by now.
    pub(crate) fn told(&mut self) -> Told {
        if let Some(line) = self.heard_line() {
            return ended(&line).unwrap_or(Told::Nonsense);
        }
        match self.read() {
            Ok(true) => self.told(),
            Err(error) if is_early(&error) => Told::Nothing,
            _ => Told::Nonsense,
        }
    }

    /// Where it can be heard.
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn send(&mut self, told: &[u8], files: &[RawFd]) -> io::Result<()> {
        let length = u32::try_from(told.len()).map_err(io::Error::other)?.to_le_bytes();
        // It reads a large request while this is written, or is stopped and never reads.
        self.socket.set_nonblocking(false)?;
        self.socket.set_write_timeout(Some(PATIENCE))?;
        let parts = [IoSlice::new(&length), IoSlice::new(told)];
        let rights = [ControlMessage::ScmRights(files)];
        let socket = self.socket.as_raw_fd();
        let sent = sendmsg::<()>(socket, &parts, &rights, MsgFlags::MSG_NOSIGNAL, None)?;
        // A write to a socket that is gone is an error and no signal in Rust's library, too.
        self.socket.write_all(&told[sent.saturating_sub(length.len())..])?;
        self.socket.set_nonblocking(true)
    }

    /// Waits for its next line.
    fn line(&mut self, attempt: &mut Attempt, reaper: &Reaper, by: Instant) -> io::Result<Line> {
        let no = |reason: String| Ok(Line::Not(Answer::No(reason)));
        loop {
            if let Some(line) = self.heard_line() {
                return Ok(Line::Said(line));
            }
            match attempt.hear(reaper, self.socket.as_fd(), by)? {
                Heard::Something => {}
                Heard::Nothing => return no("it says nothing".to_owned()),
                Heard::Stopped => return Ok(Line::Not(Answer::Stopped)),
            }
            match self.read() {
                Ok(true) => {}
                Err(error) if is_early(&error) && attempt.has_template() => {}
                _ => return self.ended(attempt, reaper),
            }
        }
    }

    /// The next line of what was heard.
    fn heard_line(&mut self) -> Option<String> {
        let end = self.heard.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.heard.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    /// Hears what it says; false where it has hung up, or says too much.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; LONGEST];
        let read = self.socket.read(&mut buffer)?;
        let sound = read > 0 && self.heard.len() < LONGEST;
        self.heard.extend_from_slice(&buffer[..read]);
        Ok(sound)
    }

    /// It has hung up, and most likely ended: how, and the last line it printed.
    fn ended(&mut self, attempt: &mut Attempt, reaper: &Reaper) -> io::Result<Line> {
        let by = Instant::now() + LAST_MOMENTS;
        while attempt.has_template() && Instant::now() < by {
            if attempt.hear(reaper, reaper.signals.as_fd(), by)? == Heard::Stopped {
                return Ok(Line::Not(Answer::Stopped));
            }
        }
        let how = match attempt.template_end() {
            None => "it hangs up".to_owned(),
            Some(Status::Exited(code)) => format!("it ends with exit code {code}"),
            Some(Status::Signaled(signal)) => format!("it is ended by signal {signal}"),
        };
        let printed = contents(&mut self.output[1]).unwrap_or_default();
        let printed = String::from_utf8_lossy(&printed);
        let last = printed.lines().rev().find(|line| !line.trim().is_empty());
        let reason = last.map_or_else(|| how.clone(), |last| format!("{how}: {last}"));
        Ok(Line::Not(Answer::No(reason)))
    }

    /// Notes that it has no command to look after now.
    pub(crate) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// When it has been idle for long enough to be ended.
    pub(crate) fn idle_until(&self) -> Option<Instant> {
        self.idle_since.checked_add(self.idle)
    }

    /// Whether it is to be replaced: it has done its share, has grown or has been idle for long.
    pub(crate) fn is_worn(&self) -> bool {
        let grown = self.pages.is_some_and(|most| pages(self.pid).is_none_or(|now| now > most));
        let idle = self.idle_until().is_some_and(|until| Instant::now() >= until);
        self.commands_left == 0 || grown || idle
    }
}

/// Starts the program of a command or template.
pub(crate) fn execute(
    execution: &Execution<'_>,
    cpus: &[u32],
    files: &[RawFd],
    stack: &mut [u8],
) -> Result<Pid, SpawnFailed> {
    let Execution { program, cwd, args, env } = execution;
    let program = program::find(program, env, cwd);
    let cpus = cpu_set(cpus).map_err(|errno| SpawnFailed { doing: sys::BIND, errno })?;
    sys::spawn(&Image { program: &program, args, env, cwd, cpus: cpus.as_ref(), files }, stack)
}

/// The set of these CPUs; `None` where there are none.
fn cpu_set(cpus: &[u32]) -> nix::Result<Option<CpuSet>> {
    if cpus.is_empty() {
        return Ok(None);
    }
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu as usize)?;
    }
    Ok(Some(set))
}

/// Lets a forked command go.
pub(crate) fn go(gate: OwnedFd) {
    // If it is gone already, its end is for the reaper to see.
    let _ = File::from(gate).write_all(b"g");
}

/// The reason in `refuse REASON`, `changed REASON`.
fn reason(line: &str) -> String {
    let reason = line.split_once(' ').filter(|(word, _)| matches!(*word, "refuse" | "changed"));
    reason.map_or_else(|| format!("it says {line:?}"), |(_, reason)| reason.to_owned())
}

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Reads `ended STATUS USER SYSTEM PEAK [TIME]`.
fn ended(line: &str) -> Option<Told> {
    let (status, numbers) = line.strip_prefix("ended ")?.split_once(' ')?;
    let numbers: Vec<u64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let (user, system, peak, time) = match numbers[..] {
        [user, system, peak] => (user, system, peak, None),
        [user, system, peak, time] => (user, system, peak, Some(Duration::from_micros(time))),
        _ => return None,
    };
    let [user, system] = [user, system].map(Duration::from_micros);
    let usage = Usage { user, system, peak_memory: peak.saturating_mul(1024) };
    let ago = time.map(|time| sys::monotonic().saturating_sub(time));
    Some(Told::Ended { status: sys::decode(status.parse().ok()?), usage, ago })
}

/// A process's resident memory, in pages, `proc_pid_statm(5)`.
fn pages(pid: Pid) -> Option<u64> {
    fs::read_to_string(format!("/proc/{pid}/statm")).ok()?.split(' ').nth(1)?.parse().ok()
}

fn page_size() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| size.try_into().ok()).unwrap_or(4096)
}
