//! The gates that need no test run: format, lints, documentation, layers, packages, dependencies,
//! snapshots.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{layers, messages, metadata::Metadata, publish, snapshots, workspace};

/// Of cargo-deny. Built without optimisation: that takes a minute instead of five, and it runs for
/// half a second all the same.
const CARGO_DENY: &str = "0.20.2";

/// Runs all gates, and stops at the first that fails.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo fmt --all --check").run()?;
    cmd!(sh, "cargo clippy --locked --workspace --all-targets -- -D warnings").run()?;
    cmd!(sh, "cargo doc --locked --workspace --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    let metadata = Metadata::read(sh)?;
    layers::check_crates(&metadata)?;
    layers::check_modules()?;
    messages::check()?;
    publish::check(sh, &metadata)?;
    dependencies(sh)?;
    snapshots::none_pending()?;
    println!(
        "ci: format, lints, documentation, layers, packages, dependencies and snapshots are in order"
    );
    Ok(())
}

/// Bans, licences and sources, from what Cargo already has. Advisories would need a database from
/// elsewhere, and change without a change here: not a gate.
fn dependencies(sh: &Shell) -> Result<()> {
    let tools = workspace::target("tools");
    let deny = tools.join("bin/cargo-deny");
    // An older one is replaced; one of this version makes this a matter of milliseconds.
    cmd!(sh, "cargo install --quiet --locked --debug --root {tools}")
        .arg(format!("cargo-deny@{CARGO_DENY}"))
        .run()?;
    // Licences that only dependencies on other systems have are allowed as well.
    cmd!(
        sh,
        "{deny} check --hide-inclusion-graph --allow license-not-encountered bans licenses sources"
    )
    .run()?;
    Ok(())
}
