//! The processes of the engine.
//!
//! - One of the engine's has a known program as its executable, and one of the engine's directories in
//!   its arguments.
//! - A container's descends from one of those, or is in the engine's control group.

use super::layout::Layout;
use crate::private::{self, Process, contains};

const ENGINE: &[&str] = &["dockerd", "containerd", "containerd-shim-runc-v2", "conmon"];

/// All that live now, but for zombies. Those of containers are called `(container)`.
pub(super) fn of(layout: &Layout) -> Vec<Process> {
    let group = format!("{}/", layout.cgroup);
    private::find(program, "(container)", |seen| match seen.program {
        Some(_) => seen.names(&layout.dir) || seen.names(&layout.run),
        None => contains(&seen.read("cgroup"), group.as_bytes()),
    })
}

fn program(name: &str) -> Option<&'static str> {
    ENGINE.iter().find(|program| **program == name).copied()
}
