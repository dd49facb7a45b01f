//! Where the engine's files are.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use crate::workspace;

/// The directories of the engine, and its control group.
pub(super) struct Layout {
    /// Everything but sockets.
    pub(super) dir: PathBuf,
    /// Sockets and pid file; in `dir`, unless that is too long for a socket's address.
    pub(super) run: PathBuf,
    /// The group that its containers are in, in each hierarchy.
    pub(super) cgroup: String,
}

impl Layout {
    pub(super) fn find() -> Result<Layout> {
        let dir = workspace::target("docker");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte);
        ensure!(
            dir.as_os_str().as_encoded_bytes().iter().copied().all(plain),
            "an engine's settings cannot name {}: keep the work tree where the path has letters, \
             digits and `.-_` only",
            dir.display(),
        );
        let name = format!("sortie-{:016x}", hash(&dir));
        let run = if dir.as_os_str().len() <= ROOM_IN_ADDRESS {
            dir.join("run")
        } else {
            Path::new("/run").join(&name)
        };
        Ok(Layout { dir, run, cgroup: format!("/{name}") })
    }

    /// What `DOCKER_HOST` names.
    pub(super) fn host(&self) -> String {
        format!("unix://{}", self.run.join("docker.sock").display())
    }

    /// Images and containers of the Docker engine.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Podman's settings, images and containers.
    pub(super) fn podman(&self) -> PathBuf {
        self.dir.join("podman")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("dockerd.log")
    }

    /// The last lines of the log, under a heading.
    pub(super) fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(15)..];
        format!("--- {}\n{}", self.log().display(), tail.join("\n"))
    }
}

/// An address has 108 bytes (unix(7)); the longest in use is `run/exec/containerd/` with
/// `containerd-debug.sock.ttrpc`.
const ROOM_IN_ADDRESS: usize = 55;

/// The same for the same path with every build of xtask by one toolchain.
fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
