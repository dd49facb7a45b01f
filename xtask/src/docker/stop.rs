//! The end of the engine, from whatever state it is in.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use xshell::{Shell, cmd};

use super::{layout::Layout, podman, processes, start};
use crate::private::{self, Process, gone};

/// How long the daemon may take to stop its containers and to save its state.
const GRACE: Duration = Duration::from_secs(15);

/// How long a killed process may take to be gone.
const KILLED: Duration = Duration::from_secs(10);

/// Stops everything of the engine, and waits until it is gone.
pub(super) fn all(sh: &Shell, layout: &Layout) -> Result<()> {
    if start::is_up(sh, layout) {
        remove_containers(sh, layout)?;
    }
    podman::remove_containers(sh, layout)?;
    // The daemon ends its containerd, and the others end with their containers.
    let daemon = |process: &Process| process.program == "dockerd";
    let living = || processes::of(layout);
    // Without the daemon, nobody would end the others.
    if !gone(living, Signal::TERM, daemon, GRACE) && !gone(living, Signal::KILL, |_| true, KILLED) {
        bail!("these do not end, even when killed: {}", private::list(&living()));
    }
    unmount(sh, layout)?;
    remove_groups(layout);
    private::remove(&layout.run)
}

/// All of them, at once, where the daemon would wait for each to end by itself.
pub(super) fn remove_containers(sh: &Shell, layout: &Layout) -> Result<()> {
    let all = start::docker(sh, layout).args(["ps", "--all", "--quiet"]).read()?;
    if all.is_empty() {
        return Ok(());
    }
    let remove = start::docker(sh, layout).args(["rm", "--force"]).args(all.lines());
    remove.ignore_stdout().run().context("cannot remove the containers")
}

/// What a killed daemon left mounted.
fn unmount(sh: &Shell, layout: &Layout) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    let ours = |point: &&Path| point.starts_with(&layout.dir) || point.starts_with(&layout.run);
    // Those within others come later.
    let mut points: Vec<&Path> = points.filter(ours).collect();
    points.reverse();
    for point in points {
        cmd!(sh, "umount --lazy {point}").quiet().run()?;
    }
    Ok(())
}

/// The control groups, which are left empty. Not worth an error: nothing is in their way.
fn remove_groups(layout: &Layout) {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten();
    let hierarchies = hierarchies.map(|entry| entry.path()).chain([root.to_owned()]);
    for group in hierarchies.map(|it| it.join(layout.cgroup.trim_start_matches('/'))) {
        let within: Vec<PathBuf> = fs::read_dir(&group)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        for group in within.iter().chain([&group]) {
            let _ = fs::remove_dir(group);
        }
    }
}
