//! What a sweep's directory says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::styling::AnsiColor;
use sortie_process::Held;
use sortie_sweep::{Progress, State, SweepDir};

use crate::exit_status;
use crate::failure::{Failure, with_dir};
use crate::forms::{KeeperForm, SweepState, SweepStatus, VERSION};
use crate::output::{bold, one_line};
use crate::sweep_summary::counts;
use crate::view::rest;

/// A sweep, by its directory.
pub(crate) struct SweepView {
    pub(crate) dir: SweepDir,
    pub(crate) state: SweepState,
    /// The process that sees to it.
    pub(crate) held: Held,
    host: Option<String>,
    candidates: usize,
    progress: Progress,
    started: usize,
}

impl SweepView {
    /// Looks at it: reads all of its ledger.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        let dir = SweepDir::new(dir);
        // Who is there first: what is written meanwhile is seen.
        let (held, host) = held(&dir);
        let sweep = dir.read()?;
        let progress = Progress::of(&sweep);
        let is_started = |state: &&State| matches!(state, State::Started { .. });
        let started = sweep.states.iter().filter(is_started).count();
        let state = match held {
            Held::Free if progress.waiting == 0 => SweepState::Finished,
            Held::Free => SweepState::Stopped,
            Held::By(_) | Held::Elsewhere => SweepState::Running,
        };
        let candidates = sweep.candidates.len();
        Ok(Self { dir, state, held, host, candidates, progress, started })
    }

    /// Waits until it may be worth while to look again, and for so long at most.
    pub(crate) fn rest(&self, most: Duration) {
        rest(&self.held, most);
    }

    /// The exit status of `sortie sweep`, of one that nobody sees to any more.
    pub(crate) fn status(&self) -> u8 {
        let done = &self.progress.done;
        if done.setup > 0 {
            exit_status::SETUP
        } else if done.infrastructure > 0 || self.progress.waiting > 0 || done.stopped > 0 {
            exit_status::INFRASTRUCTURE
        } else {
            exit_status::CORRECT
        }
    }

    /// In words.
    pub(crate) fn who(&self) -> String {
        match (&self.held, &self.host) {
            (Held::By(holder), _) => format!("`sortie sweep`, process {}", holder.pid()),
            (_, Some(host)) => format!("`sortie sweep` on {host}"),
            (_, None) => "a process that cannot be seen from here".to_owned(),
        }
    }

    fn advice(&self) -> Option<String> {
        let stopped = self.state == SweepState::Stopped;
        let advice = "it is not running: `sortie sweep --resume DIR` continues it";
        stopped.then(|| with_dir(advice, self.dir.path()))
    }

    pub(crate) fn form(&self) -> SweepStatus {
        let pid = match &self.held {
            Held::By(holder) => u32::try_from(holder.pid()).ok(),
            Held::Free | Held::Elsewhere => None,
        };
        let keeper = KeeperForm { host: self.host.clone(), pid, command: Some("sweep".to_owned()) };
        SweepStatus {
            version: VERSION,
            kind: "sweep",
            dir: self.dir.path().to_string_lossy().into_owned(),
            state: self.state,
            candidates: self.candidates,
            waiting: self.progress.waiting - self.started,
            started: self.started,
            done: self.progress.done,
            best: self.progress.best.clone(),
            keeper: (self.state == SweepState::Running).then_some(keeper),
            advice: self.advice(),
        }
    }

    /// A line for people, with colours.
    pub(crate) fn line(&self) -> String {
        let (color, state) = match self.state {
            SweepState::Running => (AnsiColor::Cyan, "running"),
            SweepState::Finished if self.status() == exit_status::CORRECT => {
                (AnsiColor::Green, "finished")
            }
            SweepState::Finished => (AnsiColor::Red, "finished"),
            SweepState::Stopped => (AnsiColor::Magenta, "stopped"),
        };
        let style = bold(color);
        let dir = one_line(&self.dir.path().to_string_lossy());
        format!("{style}{state:<8}{style:#}  {dir}  {}\n", one_line(&self.said()))
    }

    fn said(&self) -> String {
        let Progress { done, best, .. } = &self.progress;
        let done_of = format!("{} of {} done", done.total(), self.candidates);
        let best = best.as_ref().map(|best| format!("best {} ({})", best.score, best.id));
        let said = [done_of, counts(done)].into_iter().chain(best).collect::<Vec<_>>().join(", ");
        match (self.state, self.advice()) {
            (SweepState::Running, _) => said + &format!("; {}", self.who()),
            (_, Some(advice)) => said + "; " + &advice,
            (_, None) => said,
        }
    }
}

/// Who sees to a sweep, and on which machine.
fn held(dir: &SweepDir) -> (Held, Option<String>) {
    let Some(said) = dir.holder() else { return (Held::Free, None) };
    let held = File::open(dir.lock_file()).and_then(|lock| Held::of_flock(&lock));
    let host = Some(said.host.clone()).filter(|host| !host.is_empty());
    match held {
        // It has just ended.
        Ok(Held::Free) if said.is_here() => (Held::Free, None),
        Ok(Held::By(holder)) if said.is_here() => (Held::By(holder), host),
        _ => (Held::Elsewhere, host),
    }
}

/// The sweep that a results dir is of, if it is of one.
fn around(results_dir: &Path) -> Option<SweepDir> {
    // The directory may be named so that it does not show in which other it is.
    let sweep = match results_dir.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Some(SweepDir::new(sweep)).filter(SweepDir::is_sweep)
}

/// Whether a results dir is of a sweep.
pub(super) fn is_around(results_dir: &Path) -> bool {
    around(results_dir).is_some()
}

/// The sweep that a results dir is of, if a launcher sees to that.
pub(super) fn in_hand_around(results_dir: &Path) -> Option<PathBuf> {
    let sweep = around(results_dir)?;
    sweep.holder().map(|_| sweep.path().to_owned())
}
