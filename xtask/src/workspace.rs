//! Where the workspace is, and a shell in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

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

/// The workspace's own files, canonical, whose names end in one of these.
pub(crate) fn find(suffixes: &[&str]) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut directories = vec![fs::canonicalize(root())?];
    while let Some(directory) = directories.pop() {
        let context = || format!("cannot list {}", directory.display());
        for entry in fs::read_dir(&directory).with_context(context)? {
            let entry = entry.with_context(context)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type().with_context(context)?.is_dir() {
                if name != "target" && name != ".git" {
                    directories.push(entry.path());
                }
            } else if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
                found.insert(entry.path());
            }
        }
    }
    Ok(found)
}
