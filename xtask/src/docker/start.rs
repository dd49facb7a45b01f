//! The start of the engine.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use super::{layout::Layout, processes};

/// For the engine to answer. It takes a second or two on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// For the shell to have become the daemon. If there is none by then, it has ended.
const STARTED: Duration = Duration::from_secs(5);

/// Seconds after which a question to the engine is given up, for `timeout`.
const QUESTION: &str = "10";

/// Whether it runs and answers; asks for ten seconds at most.
pub(super) fn is_up(sh: &Shell, layout: &Layout) -> bool {
    processes::of(layout).iter().any(|process| process.program == "dockerd") && answers(sh, layout)
}

/// Docker's command, for this engine.
pub(super) fn docker<'a>(sh: &'a Shell, layout: &Layout) -> Cmd<'a> {
    sh.cmd("docker").arg("--host").arg(layout.host()).quiet()
}

/// Starts the daemon, when none of it runs, and waits until it answers.
pub(super) fn engine(sh: &Shell, layout: &Layout) -> Result<()> {
    for dir in [&layout.dir, &layout.run] {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    daemon(sh, layout)?;
    let from = Instant::now();
    while !answers(sh, layout) {
        let gone = from.elapsed() > STARTED && processes::of(layout).is_empty();
        if gone || from.elapsed() > PATIENCE {
            bail!("dockerd does not answer at {}", layout.host());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// It stays in the foreground and writes its log to standard error, so it is put into a session of its
/// own by `setsid`, and a shell opens the log.
fn daemon(sh: &Shell, layout: &Layout) -> Result<()> {
    const INTO_LOG: &str = r#"log=$1; shift; exec "$@" >"$log" 2>&1 </dev/null"#;
    let (data, run, log) = (layout.data(), &layout.run, layout.log());
    let (host, cgroup) = (layout.host(), &layout.cgroup);
    cmd!(
        sh,
        "setsid --fork sh -c {INTO_LOG} sh {log} dockerd
            --host={host} --data-root={data} --exec-root={run}/exec --pidfile={run}/dockerd.pid
            --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false
            --exec-opt=native.cgroupdriver=cgroupfs --cgroup-parent={cgroup} --group=root
            --shutdown-timeout=5"
    )
    .quiet()
    .run()
    .context("cannot start dockerd")
}

fn answers(sh: &Shell, layout: &Layout) -> bool {
    let host = layout.host();
    cmd!(sh, "timeout {QUESTION} docker --host {host} version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}
