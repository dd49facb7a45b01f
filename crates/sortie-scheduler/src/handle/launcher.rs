//! What is seen of a job's launcher by another process.

use std::path::Path;

use sortie_process::Holder;
use sortie_results::{Lease, OwnerDir, OwnerNote, Stage, Standing};

use super::process::holder;

/// The launcher that sees to a job.
#[derive(Debug)]
pub(super) struct Launcher {
    /// How its lease stands.
    pub(super) standing: Standing,
    /// What it says, or the last one said.
    pub(super) note: Option<OwnerNote>,
}

impl Launcher {
    /// Looks. Where there is no job nobody is there.
    pub(super) fn of(results_dir: &Path) -> Self {
        let Ok(dir) = OwnerDir::open(results_dir) else {
            return Self { standing: Standing::Free, note: None };
        };
        // What cannot be read tells nothing.
        let standing = Lease::look(&dir.lease()).unwrap_or(Standing::Unknown(None));
        let note = dir.read().inspect_err(|error| tracing::debug!("{error}")).ok();
        Self { standing, note }
    }

    /// Whether it is there, for certain.
    pub(super) fn is_there(&self) -> bool {
        matches!(self.standing, Standing::Held(_))
    }

    /// Where it says that the job stands.
    pub(super) fn stage(&self) -> Stage {
        self.note.as_ref().map_or(Stage::Running, |note| note.stage)
    }

    /// Its process, where that can be reached from here.
    pub(super) fn process(&self) -> Option<Holder> {
        holder(&self.standing)
    }
}
