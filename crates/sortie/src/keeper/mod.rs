//! Who sees to a results dir: the process that holds the lock in its `job_keeper/`, as long as the job is in its
//! hands. By it other commands find that process, on whatever terminal it is or without one, and two never see to
//! the same job.

mod detached;

pub(crate) use detached::{Launcher, as_detached, detach, detach_this, detach_with};

use std::cell::RefCell;
use std::path::Path;

use sortie_process::{Held, Hold};
use sortie_results::jiff::Timestamp;
use sortie_results::{KeeperDir, KeeperNote, Stage};

use crate::failure::Failure;

/// This process's right to see to a results dir, and what it says of the job. Others see it gone when it is
/// dropped, or when the process ends in whatever way.
pub(crate) struct Keeper {
    dir: KeeperDir,
    note: RefCell<KeeperNote>,
    _hold: Hold,
}

impl Keeper {
    /// Takes a results dir, which is made where it is not there; `None` where it cannot be written to, which the job
    /// will say more about, or where the file system has no locks.
    ///
    /// # Errors
    ///
    /// Another process sees to it.
    pub(crate) fn take(
        results_dir: &Path,
        command: &str,
        candidate: Option<&Path>,
    ) -> Result<Option<Self>, Failure> {
        // A job that is to be taken up has its directory.
        if candidate.is_none() && !results_dir.is_dir() {
            return Ok(None);
        }
        let Ok(dir) = KeeperDir::make(results_dir) else { return Ok(None) };
        let hold = match dir.lock_to_take().and_then(Hold::take) {
            Ok(Some(hold)) => hold,
            Ok(None) => {
                let who = Sighted::in_dir(results_dir).who();
                return Err(Failure::Kept { dir: results_dir.to_owned(), who });
            }
            Err(error) => {
                tracing::warn!(
                    "{}: other commands will not find this one: {error}",
                    results_dir.display()
                );
                return Ok(None);
            }
        };
        let keeper =
            Self { dir, note: RefCell::new(KeeperNote::new(command, candidate)), _hold: hold };
        keeper.write();
        Ok(Some(keeper))
    }

    /// Has all that this process says from now on written to the log.
    pub(crate) fn log_here(&self) {
        let logs = self.dir.new_log().and_then(|log| sortie_process::detach::log_to(&log));
        if let Err(error) = logs {
            tracing::warn!("there will be no log: {error}");
        }
    }

    /// Says where the job stands.
    pub(crate) fn says(&self, stage: Stage, reason: Option<&str>) {
        {
            let mut note = self.note.borrow_mut();
            if note.stage != stage {
                note.stage_since = Timestamp::now();
            }
            note.stage = stage;
            note.reason = reason.map(str::to_owned);
        }
        self.write();
    }

    fn write(&self) {
        if let Err(error) = self.dir.write(&self.note.borrow()) {
            tracing::warn!("cannot note where the job stands: {error}");
        }
    }
}

/// What is seen of a results dir's keeper by another process.
#[derive(Debug)]
pub(crate) struct Sighted {
    pub(crate) held: Held,
    /// What it says, or the last one said.
    pub(crate) note: Option<KeeperNote>,
}

impl Sighted {
    /// Where there is no telling, nobody is there.
    pub(crate) fn in_dir(results_dir: &Path) -> Self {
        let Ok(Some(dir)) = KeeperDir::open(results_dir) else {
            return Self { held: Held::Free, note: None };
        };
        let held = dir.lock_to_see().ok().and_then(|lock| Held::of(&lock).ok());
        let note = dir.read().ok();
        let held = match held {
            // A number of another machine may be one of this machine's, too.
            Some(Held::By(_)) if note.as_ref().is_some_and(|note| !note.is_of_this_machine()) => {
                Held::Elsewhere
            }
            held => held.unwrap_or(Held::Free),
        };
        Self { held, note }
    }

    pub(crate) fn is_there(&self) -> bool {
        !matches!(self.held, Held::Free)
    }

    /// In words.
    pub(crate) fn who(&self) -> String {
        let command = self.note.as_ref().map_or("sortie", |note| &note.command);
        match (&self.held, &self.note) {
            (Held::By(holder), _) => format!("`sortie {command}`, process {}", holder.pid()),
            (_, Some(note)) => {
                format!("`sortie {command}`, process {} on {}", note.pid, note.host)
            }
            (_, None) => "a process that cannot be seen from here".to_owned(),
        }
    }
}
