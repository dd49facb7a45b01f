//! Snapshots of insta: none waits for a review, none is left behind by a test that is gone.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Fails if a snapshot waits for a review.
pub(crate) fn none_pending() -> Result<()> {
    let pending = workspace::find(&[".snap.new", ".pending-snap"])?;
    ensure!(
        pending.is_empty(),
        "snapshots wait for a review, accept them (`cargo insta review`) or remove them:\n{}",
        lines(&pending),
    );
    Ok(())
}

/// Where the tests of one run note the snapshots they compare with: insta appends a line each to the file that
/// `INSTA_SNAPSHOT_REFERENCES_FILE` names.
pub(crate) struct References(PathBuf);

impl References {
    /// Starts without any.
    pub(crate) fn new() -> Result<References> {
        let file = workspace::target("snapshots-referenced");
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", file.display()))
            }
            _ => Ok(References(file)),
        }
    }

    /// The variable for the tests' environment, and its value.
    pub(crate) fn variable(&self) -> (&'static str, &Path) {
        ("INSTA_SNAPSHOT_REFERENCES_FILE", &self.0)
    }

    /// Fails if a snapshot is there that no test has compared with. For after a run of all tests.
    pub(crate) fn cover_all(&self) -> Result<()> {
        let noted = fs::read_to_string(&self.0)
            .with_context(|| format!("no snapshot was compared with: {}", self.0.display()))?;
        let noted: BTreeSet<PathBuf> =
            noted.lines().filter_map(|line| fs::canonicalize(line).ok()).collect();
        let orphaned: BTreeSet<PathBuf> =
            workspace::find(&[".snap"])?.difference(&noted).cloned().collect();
        ensure!(
            orphaned.is_empty(),
            "no test compares with these snapshots, remove them:\n{}",
            lines(&orphaned),
        );
        Ok(())
    }
}

fn lines(paths: &BTreeSet<PathBuf>) -> String {
    let paths: Vec<_> = paths.iter().map(|path| format!("  {}", path.display())).collect();
    paths.join("\n")
}
