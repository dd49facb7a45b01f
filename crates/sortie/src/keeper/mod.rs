//! Who sees to a results dir: the process that has its lease, as long as the job is in its
//! hands. By it other commands find that process, on whatever terminal it is or without one, and two never see to
//! the same job.

mod detached;
mod notes;
mod sighted;

pub(crate) use detached::{Launcher, as_detached, detach, detach_this, detach_with};
pub(crate) use sighted::{Sighted, holder, who};

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use sortie_results::jiff::Timestamp;
use sortie_results::{
    Consent, KeeperDir, KeeperNote, Lease, LeaseError, Owner, Sight, Stage, Standing,
};

use crate::failure::Failure;
use notes::Notes;

/// This process's right to see to a results dir, and what it says of the job. Others see it gone when it is
/// dropped, or when the process ends in whatever way.
pub(crate) struct Keeper {
    dir: Arc<KeeperDir>,
    note: RefCell<KeeperNote>,
    notes: Notes,
}

impl Keeper {
    /// Takes a results dir, which is made where it is not there; `None` where it cannot be written to, which the job
    /// will say more about.
    ///
    /// # Errors
    ///
    /// Another process sees to it; or may do so, and there is no consent.
    pub(crate) fn take(
        results_dir: &Path,
        command: &str,
        candidate: Option<&Path>,
        consent: Consent,
    ) -> Result<Option<Self>, Failure> {
        let dir = match candidate {
            Some(_) => KeeperDir::make(results_dir).ok(),
            // A job that is to be taken up has its directories.
            None if Sight::is_likely(results_dir) => KeeperDir::open(results_dir).ok(),
            None => None,
        };
        let Some(dir) = dir else { return Ok(None) };
        let lease = match Lease::take(&dir.lease(), &Owner::this(None, Some(command)), consent) {
            Ok(lease) => lease,
            Err(LeaseError::Held { owner, .. }) => {
                let sighted = Sighted { standing: Standing::Held(owner), note: dir.read().ok() };
                return Err(sighted.kept(results_dir));
            }
            Err(LeaseError::Unknown { owner, .. }) => {
                let sighted = Sighted { standing: Standing::Unknown(owner), note: dir.read().ok() };
                return Err(sighted.kept(results_dir));
            }
            Err(error) => {
                tracing::warn!("other commands will not find this one: {error}");
                return Ok(None);
            }
        };
        let note = RefCell::new(KeeperNote::new(command, candidate));
        let dir = Arc::new(dir);
        let keeper = Self { notes: Notes::new(dir.clone(), lease), dir, note };
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
        self.notes.write(self.note.borrow().clone());
    }
}
