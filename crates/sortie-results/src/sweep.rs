//! The sweep that a results dir is of: its launcher sees to the job, too.

use std::path::{Path, PathBuf};

use crate::{Lease, Standing};

/// The file in a sweep's directory that says what is to be done and was done.
pub const LEDGER: &str = "ledger.jsonl";
/// The file in a sweep's directory that is the [`Lease`] of its launcher.
pub const SWEEP_LEASE: &str = "lock";

/// The directory of the sweep that a results dir is of, if it is of one.
pub fn sweep_around(results_dir: &Path) -> Option<PathBuf> {
    // A name without a slash is in the working directory.
    let around = match results_dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    around.join(LEDGER).is_file().then(|| around.to_owned())
}

/// Whether a launcher sees to a sweep.
pub fn sweep_standing(sweep: &Path) -> Standing {
    // What cannot be read tells nothing.
    Lease::look(&sweep.join(SWEEP_LEASE)).unwrap_or(Standing::Unknown(None))
}
