//! Virtual environments of Python, made for a bench and kept for the next.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::workspace;

/// The Python of an environment with a package, which is as pip takes it; the environment is made if it
/// is not there.
pub(crate) fn with(sh: &Shell, name: &str, package: &str) -> Result<PathBuf> {
    let dir = workspace::target("bench").join(name);
    let (python, ready) = (dir.join("bin/python"), dir.join(format!("has-{package}")));
    if !ready.exists() {
        eprintln!("installing {package} into {}", dir.display());
        cmd!(sh, "python3 -m venv --clear {dir}").quiet().run()?;
        cmd!(sh, "{python} -m pip install --quiet --disable-pip-version-check {package}")
            .quiet()
            .run()
            .with_context(|| format!("cannot install {package}"))?;
        sh.write_file(&ready, "")?;
    }
    Ok(python)
}
