//! The end of a cluster, from whatever state it is in.

use std::{
    fs, io, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::{
    layout::Layout,
    processes::{self, Process},
};

/// How long a daemon may take to save its state.
const GRACE: Duration = Duration::from_secs(10);

/// How long a killed process may take to be gone.
const KILLED: Duration = Duration::from_secs(10);

/// In this order, none before those in the line above are gone: nothing may start a job any more when
/// jobs are stopped, and a daemon's last words need those it says them to.
const ORDER: &[&[&str]] = &[
    &["slurmctld", "slurmd"],
    &["slurmstepd", "(job)"],
    &["slurmdbd"],
    &["mariadbd"],
    &["munged"],
];

/// Stops everything of the cluster, and waits until it is gone.
pub(super) fn all(layout: &Layout) -> Result<()> {
    for programs in ORDER {
        // Jobs are thrown away: there is nobody left whom their steps could report to.
        let polite = !programs.contains(&"slurmstepd");
        if polite && gone(layout, programs, Signal::TERM, GRACE) {
            continue;
        }
        if !gone(layout, programs, Signal::KILL, KILLED) {
            let pids: Vec<String> = living(layout, programs)
                .iter()
                .map(|it| format!("{} {}", it.program, it.pid.as_raw_nonzero()))
                .collect();
            bail!("these do not end, even when killed: {}", pids.join(", "));
        }
    }
    // Sockets and pid files of daemons that are gone; the logs stay.
    match fs::remove_dir_all(&layout.run) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", layout.run.display()))
        }
        _ => Ok(()),
    }
}

/// Signals the programs' processes, again those that appear meanwhile; whether all are gone in time.
fn gone(layout: &Layout, programs: &[&str], signal: Signal, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let mut signalled = Vec::new();
    loop {
        let living = living(layout, programs);
        if living.is_empty() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        for process in living {
            if !signalled.contains(&process.pid) {
                process.signal(signal);
                signalled.push(process.pid);
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn living(layout: &Layout, programs: &[&str]) -> Vec<Process> {
    let mut all = processes::of(layout);
    all.retain(|process| programs.contains(&process.program));
    all
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use xshell::Shell;

    use super::*;
    use crate::slurm::Flavour;

    fn sleep(sh: &Shell, variables: &[(&str, &str)]) -> Child {
        let command = sh.cmd("sleep").arg("60").envs(variables.iter().copied());
        Command::from(command).stdin(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn ends_its_jobs_and_nothing_else() {
        let sh = Shell::new().unwrap();
        let dir = std::env::temp_dir().join(format!("sortie-stop-{}", std::process::id()));
        let layout = Layout { flavour: Flavour::Plain, run: dir.join("run"), dir };
        let conf = layout.conf();
        let conf = conf.to_str().unwrap();

        let mut job = sleep(&sh, &[("SLURM_CONF", conf), ("SLURM_JOB_ID", "1")]);
        let mut bystanders = [
            sleep(&sh, &[("SLURM_CONF", conf)]),
            sleep(&sh, &[("SLURM_CONF", "/etc/slurm/slurm.conf"), ("SLURM_JOB_ID", "1")]),
        ];
        // It is this process's child until it is waited for, and a zombie counts as gone.
        all(&layout).unwrap();
        let alive: Vec<bool> =
            bystanders.iter_mut().map(|it| it.try_wait().unwrap().is_none()).collect();
        for bystander in &mut bystanders {
            bystander.kill().unwrap();
            bystander.wait().unwrap();
        }
        assert_eq!(alive, [true, true]);
        assert!(!job.wait().unwrap().success());
    }
}
