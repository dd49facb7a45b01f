//! Ctrl-C and its like while something must be cleaned up after: the command that runs is ended,
//! xtask itself goes on to the cleaning up.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use xshell::Cmd;

/// Takes SIGINT, SIGTERM and SIGHUP from when it is made to the end of the process.
pub(crate) struct Interrupts(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    seen: u32,
    running: Vec<Pid>,
}

impl State {
    /// First politely, then by force.
    fn pass_on(&self) {
        let signal = if self.seen > 1 { Signal::KILL } else { Signal::TERM };
        for group in &self.running {
            // One that has just ended needs no signal.
            let _ = kill_process_group(*group, signal);
        }
    }
}

impl Interrupts {
    pub(crate) fn take() -> Result<Interrupts> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot take signals")?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for _ in signals.forever() {
                eprintln!("interrupted: stopping what was started");
                let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                state.seen += 1;
                state.pass_on();
            }
        });
        Ok(Interrupts(state))
    }

    /// Runs a command to its end; an interrupt ends it, and so does one seen before.
    pub(crate) fn run(&self, command: Cmd<'_>) -> Result<()> {
        self.start(command, None)?.end()
    }

    /// The same beside others: what it prints goes into the file. In a process group of its own, so that the terminal's
    /// Ctrl-C reaches it through here alone.
    pub(crate) fn start(&self, command: Cmd<'_>, output: Option<File>) -> Result<Running<'_>> {
        let shown = command.to_string();
        println!("$ {shown}");
        let mut command = Command::from(command);
        command.process_group(0).stdin(Stdio::null());
        if let Some(file) = output {
            command.stdout(file.try_clone()?).stderr(file);
        }
        let mut state = self.state();
        if state.seen > 0 {
            bail!("interrupted before `{shown}`");
        }
        let child = command.spawn().with_context(|| format!("cannot run `{shown}`"))?;
        state.running.extend(group(&child));
        drop(state);
        Ok(Running { interrupts: self, shown, child })
    }

    /// Fails if there has been one.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.state().seen == 0, "interrupted");
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that was started.
pub(crate) struct Running<'a> {
    interrupts: &'a Interrupts,
    shown: String,
    child: Child,
}

impl Running<'_> {
    /// Waits until it is over, and well.
    pub(crate) fn end(mut self) -> Result<()> {
        let shown = &self.shown;
        let status = self.child.wait().with_context(|| format!("cannot wait for `{shown}`"));
        let interrupted = {
            let mut state = self.interrupts.state();
            state.running.retain(|running| Some(*running) != group(&self.child));
            state.seen > 0
        };
        ensure!(!interrupted, "interrupted while running `{shown}`");
        let status = status?;
        ensure!(status.success(), "`{shown}` failed: {status}");
        Ok(())
    }
}

/// The process group that a command was started in.
fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}
