//! What Cargo says of the workspace's packages and of their dependencies.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use xshell::{Shell, cmd};

/// The answer of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

/// A package, be it ours or a dependency.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it is from; none for a package of this workspace.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// Where it may be published; none for anywhere, empty for nowhere.
    pub(crate) publish: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) readme: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) documentation: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    /// The manifest's `[package.metadata]`.
    pub(crate) metadata: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// Where it is, if it is in this workspace.
    pub(crate) path: Option<String>,
    /// The version that is required.
    pub(crate) req: String,
}

impl Metadata {
    pub(crate) fn read(sh: &Shell) -> Result<Metadata> {
        let answer = cmd!(sh, "cargo metadata --locked --format-version 1").quiet().read()?;
        serde_json::from_str(&answer).context("cannot read the answer of `cargo metadata`")
    }

    /// Our own packages that others may depend on.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        let is_published = |publish: &Option<Vec<String>>| publish.as_deref() != Some(&[]);
        self.packages.iter().filter(move |it| it.source.is_none() && is_published(&it.publish))
    }
}
