//! A job that this process sees to, for others to find.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sortie_results::jiff::Timestamp;
use sortie_results::{Consent, Lease, LeaseError, Owner, OwnerDir, OwnerNote, Sight, Stage};

use super::HandleError;
use super::notes::Notes;

/// This process's right to see to a job, and what it says of it: other processes find it by that, wait for it, and ask it to
/// end the job with SIGTERM. They see it gone when this is dropped, or when the process ends in whatever way.
///
/// [`JobScheduler`](crate::JobScheduler) runs jobs without one. Take one for a process that sees to one job and heeds SIGTERM,
/// as `sortie submit` does, and before [`JobScheduler::attach`](crate::JobScheduler::attach), so that no two processes take up
/// the same job.
#[derive(Debug)]
pub struct JobLease {
    dir: Arc<OwnerDir>,
    note: RefCell<OwnerNote>,
    notes: Notes,
}

impl JobLease {
    /// Takes a results dir, for the subcommand of that name. With a candidate, a results dir that is not there is made. `None`
    /// where it cannot be written to, which the job will say more about.
    ///
    /// # Errors
    ///
    /// [`HandleError::InUse`]: another process sees to it, or may do so and there is no consent.
    pub fn take(
        results_dir: &Path,
        command: &str,
        candidate: Option<&Path>,
        consent: Consent,
    ) -> Result<Option<Self>, HandleError> {
        let dir = match candidate {
            Some(_) => OwnerDir::make(results_dir).ok(),
            // A job that is to be taken up has its directories.
            None if Sight::is_likely(results_dir) => OwnerDir::open(results_dir).ok(),
            None => None,
        };
        let Some(dir) = dir else { return Ok(None) };
        let lease = match Lease::take(&dir.lease(), &Owner::this(None, Some(command)), consent) {
            Ok(lease) => lease,
            Err(LeaseError::InUse(in_use)) => {
                return Err(HandleError::InUse(in_use.of(results_dir)));
            }
            Err(error) => {
                tracing::warn!("other commands will not find this one: {error}");
                return Ok(None);
            }
        };
        let note = RefCell::new(OwnerNote::new(command, candidate));
        let dir = Arc::new(dir);
        let lease = Self { notes: Notes::new(dir.clone(), lease), dir, note };
        lease.write();
        Ok(Some(lease))
    }

    /// A new log for what this process has to say where nobody is there to hear it.
    pub fn new_log(&self) -> io::Result<File> {
        self.dir.new_log()
    }

    /// Notes where the job stands.
    pub fn says(&self, stage: Stage, reason: Option<&str>) {
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
