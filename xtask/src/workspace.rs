//! Where the workspace is, and a shell in it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Shell;

/// The workspace's root directory, absolute.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// A path under the workspace's `target`, where all that xtask makes is kept.
pub(crate) fn target(path: &str) -> PathBuf {
    root().join("target").join(path)
}

/// A shell whose working directory is the workspace's root.
pub(crate) fn shell() -> Result<Shell> {
    let sh = Shell::new().context("cannot read the working directory")?;
    sh.change_dir(root());
    Ok(sh)
}
