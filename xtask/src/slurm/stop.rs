//! The end of a cluster, from whatever state it is in.

use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;

use super::{layout::Layout, processes};
use crate::private::{self, Process, gone};

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
    if layout.release.is_some() {
        // Nothing of it is taken up again, and the end of its first process ends all others.
        let living = || processes::of(layout);
        if !gone(living, Signal::KILL, |_| true, KILLED) {
            bail!("these do not end, even when killed: {}", private::list(&living()));
        }
        return Ok(());
    }
    for programs in ORDER {
        let living = || living(layout, programs);
        // Jobs are thrown away: there is nobody left whom their steps could report to.
        let polite = !programs.contains(&"slurmstepd");
        if polite && gone(living, Signal::TERM, |_| true, GRACE) {
            continue;
        }
        if !gone(living, Signal::KILL, |_| true, KILLED) {
            bail!("these do not end, even when killed: {}", private::list(&living()));
        }
    }
    // Sockets and pid files of daemons that are gone; the logs stay.
    private::remove(&layout.run_from_here())
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
        let layout = Layout { flavour: Flavour::Plain, release: None, run: dir.join("run"), dir };
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
