//! What is seen of a results dir's keeper by another process.

use std::path::Path;

use sortie_process::Holder;
use sortie_results::{KeeperDir, KeeperNote, Lease, Owner, Standing};

use crate::failure::Failure;

/// What is seen of a results dir's keeper by another process.
#[derive(Debug)]
pub(crate) struct Sighted {
    pub(crate) standing: Standing,
    /// What it says, or the last one said.
    pub(crate) note: Option<KeeperNote>,
}

impl Sighted {
    /// Looks. Where there is no job nobody is there.
    pub(crate) fn in_dir(results_dir: &Path) -> Self {
        let Ok(dir) = KeeperDir::open(results_dir) else {
            return Self { standing: Standing::Free, note: None };
        };
        // What cannot be read tells nothing.
        let standing = Lease::look(&dir.lease()).unwrap_or(Standing::Unknown(None));
        let note = dir.read().inspect_err(|error| tracing::debug!("{error}")).ok();
        Self { standing, note }
    }

    /// Whether somebody sees to it, for certain.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.standing, Standing::Held(_))
    }

    /// Whether nobody can say from here.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.standing, Standing::Unknown(_))
    }

    /// Who has the lease or may have it.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        match &self.standing {
            Standing::Held(owner) | Standing::Unknown(owner) => owner.as_deref(),
            Standing::Free | Standing::Gone(_) => None,
        }
    }

    /// Its process, where that can be reached from here.
    pub(crate) fn holder(&self) -> Option<Holder> {
        holder(&self.standing)
    }

    /// In words.
    pub(crate) fn who(&self) -> String {
        who(self.owner())
    }

    /// That another process has the job or may have it.
    pub(crate) fn kept(&self, results_dir: &Path) -> Failure {
        let (dir, who) = (results_dir.to_owned(), self.who());
        if self.is_unknown() { Failure::Unknown { dir, who } } else { Failure::Kept { dir, who } }
    }
}

/// The process that has a lease, where that can be reached from here.
pub(crate) fn holder(standing: &Standing) -> Option<Holder> {
    match standing {
        Standing::Held(Some(owner)) if owner.is_here() => {
            let found = Holder::find(owner.pid, owner.started?);
            found.inspect_err(|error| tracing::warn!("cannot look for {owner}: {error}")).ok()?
        }
        _ => None,
    }
}

/// The owner of a lease in words.
pub(crate) fn who(owner: Option<&Owner>) -> String {
    owner.map_or_else(
        || "a process that has not said which it is".to_owned(),
        |owner| {
            let command = owner.command.as_deref().map(|command| format!("`sortie {command}`, "));
            let host = if owner.is_here() { String::new() } else { format!(" on {}", owner.host) };
            format!("{}process {}{host}", command.unwrap_or_default(), owner.pid)
        },
    )
}
