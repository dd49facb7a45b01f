//! What a sweep's directory says.

use std::path::Path;
use std::time::Duration;

use clap::builder::styling::AnsiColor;
use sortie_results::{Standing, TAKE_OVER, who};
use sortie_scheduler::{holder, pause};
use sortie_sweep::{Evaluator, Left, Progress, SweepDir};

use crate::exit_status;
use crate::failure::{Failure, with_dir};
use crate::forms::{OwnerForm, SweepState, SweepStatus, VERSION};
use crate::output::{bold, one_line};
use crate::sweep_summary::{changed, counts};

/// A sweep, by its directory.
pub(crate) struct SweepView {
    pub(crate) dir: SweepDir,
    pub(crate) state: SweepState,
    /// Whether a launcher sees to it.
    pub(crate) standing: Standing,
    candidates: usize,
    progress: Progress,
    left: Left,
    evaluators: Vec<Evaluator>,
}

impl SweepView {
    /// Looks at it: reads all of its ledger.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        let dir = SweepDir::new(dir);
        // Who is there first: what is written meanwhile is seen.
        let standing = dir.standing();
        let sweep = dir.read()?;
        let progress = Progress::of(&sweep);
        let left = Left::of(&sweep, standing.may_be_held());
        let state = match standing {
            Standing::Held(_) => SweepState::Running,
            _ if progress.waiting == 0 => SweepState::Finished,
            Standing::Unknown(_) => SweepState::Unknown,
            Standing::Free | Standing::Gone(_) => SweepState::Stopped,
        };
        let candidates = sweep.candidates.len();
        let evaluators = Evaluator::all(&sweep);
        Ok(Self { dir, state, standing, candidates, progress, left, evaluators })
    }

    /// Waits until it may be worth while to look again, and for so long at most.
    pub(crate) fn pause(&self, most: Duration) {
        pause(holder(&self.standing).as_ref(), most);
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
        who(self.standing.owner())
    }

    fn advice(&self) -> Option<String> {
        match self.state {
            SweepState::Stopped => {
                let advice = "it is not running: `sortie sweep --resume DIR` continues it";
                Some(with_dir(advice, self.dir.path()))
            }
            SweepState::Unknown => {
                let in_use = self.standing.in_use(self.dir.path())?;
                Some(format!("{in_use}: {TAKE_OVER}"))
            }
            SweepState::Running | SweepState::Finished => None,
        }
    }

    pub(crate) fn form(&self) -> SweepStatus {
        let owner = self.standing.owner();
        let form = OwnerForm {
            host: owner.map(|owner| owner.host.clone()),
            pid: owner.map(|owner| owner.pid),
            command: Some("sweep".to_owned()),
        };
        let in_hand = matches!(self.state, SweepState::Running | SweepState::Unknown);
        SweepStatus {
            version: VERSION,
            kind: "sweep",
            dir: self.dir.path().to_string_lossy().into_owned(),
            state: self.state,
            candidates: self.candidates,
            waiting: self.left.waiting,
            started: self.left.started,
            done: self.progress.done,
            best: self.progress.best.clone(),
            evaluators: self.evaluators.clone(),
            keeper: in_hand.then_some(form),
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
            SweepState::Unknown => (AnsiColor::Magenta, "unknown"),
        };
        let style = bold(color);
        let dir = one_line(&self.dir.path().to_string_lossy());
        format!("{style}{state:<8}{style:#}  {dir}  {}\n", one_line(&self.said()))
    }

    fn said(&self) -> String {
        let Progress { done, best, .. } = &self.progress;
        let done_of = format!("{} of {} done", done.total(), self.candidates);
        let best = best.as_ref().map(|best| format!("best {} ({})", best.score, best.id));
        let changed = changed(&self.evaluators);
        let said = [done_of, counts(done)].into_iter().chain(best).chain(changed);
        let said = said.collect::<Vec<_>>().join(", ");
        match (self.state, self.advice()) {
            (SweepState::Running, _) => said + &format!("; {}", self.who()),
            (_, Some(advice)) => said + "; " + &advice,
            (_, None) => said,
        }
    }
}
