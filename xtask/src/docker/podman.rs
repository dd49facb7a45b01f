//! Podman with settings and storage of its own. It has no daemon.

use std::{ffi::OsString, fs};

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit};
use xshell::{Cmd, Shell};

use super::layout::Layout;

/// What it finds its settings by.
pub(super) fn variables(layout: &Layout) -> [(&'static str, OsString); 2] {
    let dir = layout.podman();
    [
        ("CONTAINERS_CONF", dir.join("containers.conf").into()),
        ("CONTAINERS_STORAGE_CONF", dir.join("storage.conf").into()),
    ]
}

/// The command, for this storage.
pub(super) fn podman<'a>(sh: &'a Shell, layout: &Layout) -> Cmd<'a> {
    sh.cmd("podman").envs(variables(layout)).quiet()
}

/// Writes the settings.
pub(super) fn write(layout: &Layout) -> Result<()> {
    let dir = layout.podman();
    let at = dir.display();
    // It would raise these two limits, which takes more than root where capabilities are cut.
    let limit = |resource, most: u64| {
        let hard = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(most);
        format!("{hard}:{hard}")
    };
    let files = limit(Resource::Nofile, 1_048_576);
    // What Podman has set for itself, and so for what it starts, at most (4.3).
    let processes = limit(Resource::Nproc, 32_768);
    // crun 1.8 refuses machines that have cgroups of both versions.
    let conf = format!(
        "[containers]\nnetns = \"none\"\n\
         default_ulimits = [\"nofile={files}\", \"nproc={processes}\"]\n\
         [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
         tmp_dir = \"{at}/tmp\"\n"
    );
    let storage = format!(
        "[storage]\ndriver = \"overlay\"\ngraphroot = \"{at}/storage\"\nrunroot = \"{at}/run\"\n"
    );
    let written = || -> std::io::Result<()> {
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("containers.conf"), conf)?;
        fs::write(dir.join("storage.conf"), storage)
    };
    written().with_context(|| format!("cannot write podman's settings to {}", dir.display()))
}

/// All of them, running or not.
pub(super) fn remove_containers(sh: &Shell, layout: &Layout) -> Result<()> {
    // Without it, no container was ever made; asking would make a storage.
    if !layout.podman().join("storage").exists() {
        return Ok(());
    }
    let remove = podman(sh, layout).args(["rm", "--all", "--force", "--time", "0"]);
    remove.ignore_stdout().run().context("cannot remove podman's containers")
}
