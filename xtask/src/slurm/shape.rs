//! What a cluster was asked to be like. It is written beside its settings, for those who come later.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::workspace;

/// How many nodes, whose jobs, which of this machine's directories.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// How many nodes; all are on this machine
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    pub(super) nodes: u16,
    /// A user who is not root, and submits; only with a release
    #[arg(long, default_value = "sortie")]
    pub(super) user: String,
    /// A directory of this machine to be there too, at the same path, beside the work tree; only with a
    /// release; may be given often
    #[arg(long, value_name = "DIR")]
    pub(super) bind: Vec<PathBuf>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { nodes: 3, user: "sortie".into(), bind: Vec::new() }
    }
}

impl Shape {
    /// Refuses what could not be brought about.
    pub(super) fn check(&self, layout: &Layout) -> Result<()> {
        let own = layout.release.is_none();
        let needs_root = self.user != Self::default().user || !self.bind.is_empty();
        ensure!(!(own && needs_root), "--user and --bind are for clusters with --release");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            self.user.bytes().all(plain)
                && self.user.starts_with(|it: char| it.is_ascii_lowercase()),
            "--user {:?}: give a name of lower-case letters, digits and hyphens",
            self.user,
        );
        for dir in &self.bind {
            let fits = dir.is_absolute() && dir.is_dir();
            ensure!(fits, "--bind {}: give the absolute path of a directory", dir.display());
        }
        Ok(())
    }

    /// What the nodes are called.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        (1..=self.nodes).map(|number| format!("n{number}"))
    }

    /// What of this machine's files is bound into a root, at the same paths: those that hold others first.
    pub(super) fn bound(&self) -> Vec<PathBuf> {
        let mut all = self.bind.clone();
        all.push(workspace::root().to_owned());
        all.sort();
        all.dedup();
        all
    }

    /// Of the cluster that was last started there.
    pub(super) fn read(layout: &Layout) -> Result<Shape> {
        let path = path(layout);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        let path = path(layout);
        fs::write(&path, serde_json::to_vec(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

fn path(layout: &Layout) -> PathBuf {
    layout.dir.join("shape.json")
}
