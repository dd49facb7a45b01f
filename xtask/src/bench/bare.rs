//! The least a launcher can do: make the results dir, open the logs, spawn, wait.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, WaitOptions, wait};
use sortie_scheduler::{Preview, preview};

use super::{
    cpu::Meter,
    sample::Sample,
    workplace::{Evaluator, Fresh, Workplace},
};

/// The command that sortie would run, but for the results dir, its last argument.
pub(crate) struct Bare {
    argv: Vec<OsString>,
    set: Vec<(OsString, OsString)>,
}

impl Bare {
    pub(crate) fn new(evaluator: &Evaluator) -> Result<Self> {
        let config = evaluator.config().into();
        let preview = preview(&config, evaluator.candidate(), "")?;
        let Preview::Command { mut argv, set, .. } = preview else {
            bail!("the bare loop runs commands of this machine");
        };
        argv.pop();
        Ok(Self { argv, set })
    }

    /// Runs so many jobs, so many of them at once.
    pub(crate) fn run(&self, jobs: usize, width: usize, workplace: &Workplace) -> Result<Sample> {
        self.run_in(&workplace.fresh()?, jobs, width)
    }

    /// The same in a given directory.
    pub(crate) fn run_in(&self, fresh: &Fresh, jobs: usize, width: usize) -> Result<Sample> {
        let mut running = HashMap::with_capacity(width);
        let (meter, from) = (Meter::start()?, Instant::now());
        for job in 0..jobs {
            if running.len() == width {
                reap(&mut running)?;
            }
            let child = self.spawn(&fresh.results_dir(job))?;
            running.insert(child.id(), child);
        }
        while !running.is_empty() {
            reap(&mut running)?;
        }
        let wall = from.elapsed();
        Ok(Sample { jobs, wall, cpu: meter.stop()? })
    }

    /// As by `posix_spawn(3)`, which the standard library uses for a command like this.
    fn spawn(&self, results_dir: &Path) -> Result<Child> {
        fs::create_dir(results_dir)?;
        #[expect(clippy::disallowed_methods, reason = "to be compared with")]
        let mut command = Command::new(&self.argv[0]);
        command
            .args(&self.argv[1..])
            .arg(results_dir)
            .envs(self.set.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(File::create(results_dir.join("job_log.out"))?)
            .stderr(File::create(results_dir.join("job_log.err"))?);
        command.spawn().with_context(|| format!("cannot run {}", self.argv[0].display()))
    }
}

/// Waits for one of the children, whichever ends first.
fn reap(running: &mut HashMap<u32, Child>) -> Result<()> {
    let Some((pid, status)) = wait(WaitOptions::empty())? else {
        bail!("a child is said to have ended, but not which");
    };
    let pid = Pid::as_raw(Some(pid)).unsigned_abs();
    ensure!(running.remove(&pid).is_some(), "process {pid} has ended, which is not a job");
    ensure!(status.exit_status() == Some(0), "the evaluator ended with {status:?}");
    Ok(())
}
