//! The spawn server: one small process beside the launcher, parent of its reapers.
//!
//! It forks a reaper for each socket the launcher sends, and is itself a subreaper: should a
//! reaper be killed, what it kept falls to the spawn server, which ends it. The spawn server holds the
//! reaper's end of each socket until that is done, so that the launcher sees the end of the stream
//! only when no process of the command is left.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, dup2_stdin, dup2_stdout, getpid, getppid, setsid};

use crate::failure::{self, Doing, Failure};
use crate::open_files::OpenFiles;
use crate::protection::Protection;
use crate::sys::{self, Reaped};
use crate::waiting::{Signals, wait};
use crate::wire::{self, KILL, MAKE, ORDER, Reply, WAKE};
use crate::{reaper, tree};

/// How long the spawn server tries to end what a killed reaper left, where the kernel is slow to let a
/// process go.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the reapers may take to end their commands once the launcher is gone. One that was
/// stopped (SIGSTOP), which its own command can do, would take for ever.
const FAREWELL: Duration = Duration::from_secs(2);
/// The same where one of them has said that its command has a grace period.
const LONG_FAREWELL: Duration = Duration::from_secs(3600);

/// Serves the launcher, which holds the other end of standard input, until it is gone.
pub(crate) fn run() {
    // Without it there is nobody to tell: the launcher sees the stream end.
    let Ok(launcher) = failure::given_socket(sys::standard(0)) else { return };
    let failed = failure::attempt(|| {
        let mut spawn_server = SpawnServer::start(launcher.try_clone().doing("copy its socket")?)?;
        let served = spawn_server.serve();
        // However that was, no command outlives the spawn server.
        spawn_server.close()?;
        served
    });
    if let Some(why) = failed {
        failure::tell_of_spawn_server(&launcher, None, &why);
    }
}

struct SpawnServer {
    control: UnixStream,
    launcher: Option<OwnedFd>,
    signals: Signals,
    farewell: Duration,
    reapers: HashMap<Pid, Reaper>,
}

struct Reaper {
    number: u64,
    /// Keeps the launcher's end of the socket open until this reaper's processes are gone.
    _socket: UnixStream,
}

impl SpawnServer {
    fn start(control: UnixStream) -> Result<Self, Failure> {
        let null = std::fs::File::open("/dev/null").doing("open /dev/null")?;
        dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).doing("close its standard files")?;
        let signals = Signals::take().doing("take signals")?;
        OpenFiles::raise_limit_of_spawn_server().doing("raise the limit of open files")?;
        limit_cores().doing("set the limit of core files")?;
        let launcher = sys::pidfd(getppid()).ok();
        let _ = prctl::set_name(c"sortie-warden");
        // Keeps the launcher's variables and the reapers' memory from the commands.
        let _ = prctl::set_dumpable(false);
        setsid().doing("create a session")?;
        std::env::set_current_dir("/").doing("enter /")?;
        let protections = Protection::take(launcher.is_some());
        (&control).write_all(&[protections]).doing("answer the launcher")?;
        Ok(Self { control, launcher, signals, farewell: FAREWELL, reapers: HashMap::new() })
    }

    fn serve(&mut self) -> Result<(), Failure> {
        loop {
            let launcher = self.launcher.as_ref().map_or(self.signals.as_fd(), AsFd::as_fd);
            let files = [self.control.as_fd(), self.signals.as_fd(), launcher];
            let [order, signal, gone] = wait(files, None).doing("wait for orders")?;
            if signal {
                self.drain();
                self.reap();
            }
            if (gone && self.launcher.is_some()) || (order && !self.obey()?) {
                return Ok(());
            }
        }
    }

    fn drain(&mut self) {
        if self.signals.drain().time {
            self.farewell = LONG_FAREWELL;
        }
    }

    /// Carries out one order; false when the launcher sends no more.
    fn obey(&mut self) -> Result<bool, Failure> {
        let mut order = [0; ORDER];
        let (got, files) = wire::receive(&self.control, &mut order).doing("receive an order")?;
        if got < ORDER {
            return Ok(false);
        }
        let [what, number @ ..] = order;
        let number = u64::from_le_bytes(number);
        match (what, files.into_iter().next()) {
            (MAKE, Some(socket)) => self.make(number, UnixStream::from(socket)),
            (WAKE, _) => self.signal_reaper(number, Signal::SIGCONT),
            (KILL, _) => self.signal_reaper(number, Signal::SIGKILL),
            // The kernel drops a socket where a process has too many files, recvmsg(2): the launcher sees it close.
            (MAKE, None) => {
                let refused = Err::<(), _>(Errno::EMFILE).doing("receive a helper's socket");
                if let Err(why) = refused {
                    failure::tell_of_spawn_server(&self.control, Some(number), &why.to_string());
                }
            }
            _ => return Err(Errno::EPROTO).doing("understand an order"),
        }
        Ok(true)
    }

    fn make(&mut self, number: u64, socket: UnixStream) {
        let spawn_server = getpid();
        match sys::fork() {
            Ok(Some(pid)) => drop(self.reapers.insert(pid, Reaper { number, _socket: socket })),
            Ok(None) => reaper::run(&socket, spawn_server),
            Err(errno) => {
                let doing = "create a helper process".to_owned();
                // A launcher that is gone need not know.
                let _ =
                    wire::write_reply(&socket, &Reply::NotStarted { doing, errno: errno as i32 });
            }
        }
    }

    /// Collects what has ended; where that was a reaper, ends what it left behind.
    fn reap(&mut self) {
        let mut closed = Vec::new();
        while let Reaped::Child(pid, ..) = sys::reap() {
            closed.extend(self.reapers.remove(&pid));
        }
        if closed.is_empty() {
            return;
        }
        let spared = self.reapers.keys().copied().collect();
        let give_up = Instant::now() + PATIENCE;
        while !matches!(self.reap_strays(&mut closed), Reaped::None)
            && tree::signal_others(Signal::SIGKILL, &spared).is_ok_and(|found| found > 0)
            && Instant::now() < give_up
        {
            let soon = Instant::now() + Duration::from_millis(2);
            let _ = wait([self.signals.as_fd()], Some(soon));
            self.drain();
        }
    }

    fn reap_strays(&mut self, closed: &mut Vec<Reaper>) -> Reaped {
        loop {
            match sys::reap() {
                Reaped::Child(pid, ..) => closed.extend(self.reapers.remove(&pid)),
                other => return other,
            }
        }
    }

    /// The launcher is gone: has the reapers end their commands and waits for that. What those leave
    /// that take too long, the spawn server ends itself.
    fn close(&mut self) -> Result<(), Failure> {
        self.signal_reapers(Signal::SIGTERM);
        let since = Instant::now();
        while !self.reapers.is_empty() {
            let give_up = since + self.farewell;
            let overdue = Instant::now() >= give_up;
            if overdue {
                self.signal_reapers(Signal::SIGKILL);
            }
            let until = (!overdue).then_some(give_up);
            wait([self.signals.as_fd()], until).doing("wait for its helpers to end")?;
            self.drain();
            self.reap();
        }
        Ok(())
    }

    /// One that has ended just now needs none.
    fn signal_reaper(&self, number: u64, signal: Signal) {
        for (pid, _) in self.reapers.iter().filter(|(_, s)| s.number == number) {
            let _ = kill(*pid, signal);
        }
    }

    fn signal_reapers(&self, signal: Signal) {
        for pid in self.reapers.keys() {
            let _ = kill(*pid, signal);
        }
    }
}

/// Commands that crash leave no core files, unless they raise the limit themselves: the hard one stays.
fn limit_cores() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE)?;
    setrlimit(Resource::RLIMIT_CORE, 0, most)
}
