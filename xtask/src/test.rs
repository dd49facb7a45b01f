//! All tests, with what they need around them.

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{interrupt::Interrupts, packages, snapshots::References};

/// Tells tests that need something installed or started, such as Slurm, to pass without it.
const QUICK: &str = "SORTIE_TEST_QUICK";

/// The tests that need nothing but the toolchain.
pub(crate) fn quick(sh: &Shell) -> Result<()> {
    cargo_test(sh).env(QUICK, "1").run()?;
    println!("test: the quick tests passed; those that need Slurm were not asked to run");
    Ok(())
}

/// Every test of the workspace.
pub(crate) fn all(sh: &Shell) -> Result<()> {
    packages::ensure(sh, packages::TESTS)?;
    let interrupts = Interrupts::take()?;
    let references = References::new()?;
    let (variable, file) = references.variable();
    interrupts.run(cargo_test(sh).env_remove(QUICK).env(variable, file))?;
    references.cover_all()?;
    println!("test: all tests passed, and every snapshot was compared with");
    Ok(())
}

fn cargo_test(sh: &Shell) -> Cmd<'_> {
    cmd!(sh, "cargo test --locked --workspace --no-fail-fast")
}
