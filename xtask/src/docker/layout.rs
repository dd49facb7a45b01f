//! Where the engine's files are.

use std::path::PathBuf;

use anyhow::Result;

use crate::{private, workspace};

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
        private::ensure_plain("an engine's settings", &dir)?;
        let run = private::sockets(&dir, ROOM_IN_ADDRESS);
        let cgroup = format!("/sortie-{:016x}", private::hash(&dir));
        Ok(Layout { dir, run, cgroup })
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
}

/// The longest address in use is `run/exec/containerd/` with `containerd-debug.sock.ttrpc`.
const ROOM_IN_ADDRESS: usize = 55;
