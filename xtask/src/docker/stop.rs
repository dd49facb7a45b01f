//! The end of the engine, from whatever state it is in.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use xshell::{Shell, cmd};

use super::{
    layout::Layout,
    podman,
    processes::{self, Process},
    start,
};

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
    if !gone(layout, Signal::TERM, daemon, GRACE) && !gone(layout, Signal::KILL, |_| true, KILLED) {
        let pids: Vec<String> = processes::of(layout)
            .iter()
            .map(|it| format!("{} {}", it.program, it.pid.as_raw_nonzero()))
            .collect();
        bail!("these do not end, even when killed: {}", pids.join(", "));
    }
    unmount(sh, layout)?;
    remove_groups(layout);
    match fs::remove_dir_all(&layout.run) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", layout.run.display()))
        }
        _ => Ok(()),
    }
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

/// Signals those meant, once each; whether all of the engine's are gone in time.
fn gone(
    layout: &Layout,
    signal: Signal,
    meant: impl Fn(&Process) -> bool,
    patience: Duration,
) -> bool {
    let deadline = Instant::now() + patience;
    let mut signalled = Vec::new();
    loop {
        let living = processes::of(layout);
        if living.is_empty() {
            return true;
        }
        // Without the daemon, nobody would end the others.
        if Instant::now() > deadline || !living.iter().any(&meant) && signalled.is_empty() {
            return false;
        }
        for process in living.iter().filter(|process| meant(process)) {
            if !signalled.contains(&process.pid) {
                process.signal(signal);
                signalled.push(process.pid);
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
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
