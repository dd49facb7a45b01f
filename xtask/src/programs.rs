//! Test programs that run elsewhere than Cargo does.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::workspace;

/// The program of a package's integration tests.
pub(crate) struct Program {
    pub(crate) package: &'static str,
    pub(crate) path: PathBuf,
    /// Where Cargo runs it.
    pub(crate) dir: PathBuf,
}

/// Builds them, and asks Cargo where they are.
pub(crate) fn build(sh: &Shell, packages: &[&'static str]) -> Result<Vec<Program>> {
    let built = packages.iter().flat_map(|package| ["--package", package]);
    let built =
        cmd!(sh, "cargo test --locked --no-run --test it --message-format=json-render-diagnostics")
            .args(built)
            .read()?;
    let mut programs = Vec::new();
    for line in built.lines() {
        let message: serde_json::Value = serde_json::from_str(line).context("Cargo's messages")?;
        let text = |pointer: &str| message.pointer(pointer).and_then(serde_json::Value::as_str);
        let (Some(path), Some(manifest)) = (text("/executable"), text("/manifest_path")) else {
            continue;
        };
        let dir = Path::new(manifest).parent().unwrap_or(Path::new("/"));
        let package = packages.iter().copied().find(|package| dir.ends_with(package));
        let is_test = text("/target/kind/0") == Some("test");
        programs.extend(package.filter(|_| is_test).map(|package| Program {
            package,
            path: path.into(),
            dir: dir.to_owned(),
        }));
    }
    Ok(programs)
}

/// Compiles the evaluator that tests want compiled, for where there is no compiler.
pub(crate) fn judge(sh: &Shell) -> Result<PathBuf> {
    let source = "crates/sortie-scheduler/tests/it/compiled/judge.rs";
    let judge = workspace::target("judge");
    cmd!(sh, "rustc --crate-name=judge --edition=2024 -Ctarget-feature=+crt-static -Copt-level=s")
        .args(["-o".as_ref(), judge.as_os_str(), source.as_ref()])
        .run()?;
    Ok(judge)
}
