//! What is said of a lease that somebody else has.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Owner, Standing, who};

/// What to do about an owner that cannot be seen.
pub const TAKE_OVER: &str = "look there; if it has ended, take it over (--take-over)";

/// That another process has something, or may have it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is in use by {}{}", .path.display(), who(.owner.as_deref()), doubt(*.certain))]
pub struct InUse {
    /// The directory, as the user named it, or the lease.
    pub path: PathBuf,
    /// Who has it, if that can be read.
    pub owner: Option<Box<Owner>>,
    /// Whether it is certain that its owner is still there.
    pub certain: bool,
}

impl InUse {
    /// The same of what the lease stands for.
    #[must_use]
    pub fn of(self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self }
    }
}

impl Standing {
    /// That what the lease stands for is in use, if it is or may be.
    pub fn in_use(&self, path: &Path) -> Option<InUse> {
        let (owner, certain) = match self {
            Self::Held(owner) => (owner, true),
            Self::Unknown(owner) => (owner, false),
            Self::Free | Self::Gone(_) => return None,
        };
        Some(InUse { path: path.to_owned(), owner: owner.clone(), certain })
    }
}

fn doubt(certain: bool) -> &'static str {
    if certain { "" } else { "; whether that still runs cannot be told from here" }
}
