//! The private Slurm, and commands that take note of being called.

use std::{
    env,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sortie_config::{JobType, Memory, SlurmCondaJobConfig};
use sortie_scheduler::{JobId, JobScheduler, SchedulerOptions};
use xshell::{Cmd, Shell};

use super::super::workplace::{Fresh, Workplace};
use crate::workspace;

/// In place of Python, and so of the evaluator's language.
pub(super) const EVALUATOR: &str = "xtask/src/bench/evaluators/sleeping.sh";
/// How long cancelled jobs may take to leave the queue.
const CLEARED: Duration = Duration::from_secs(60);
const NOTING: &str = include_str!("shims/noting.sh");
const COMMANDS: [&str; 5] = ["sbatch", "squeue", "sacct", "scontrol", "scancel"];

pub(super) struct Site<'a> {
    pub(super) sh: &'a Shell,
    /// Its slurm.conf.
    pub(super) conf: &'a Path,
    pub(super) workplace: Workplace,
}

/// A launcher's place: its files, and its own directory of commands.
pub(super) struct Desk {
    fresh: Fresh,
    env: Vec<(OsString, OsString)>,
}

/// A call of one of Slurm's commands; times are in seconds since 1970.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) command: String,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Site<'_> {
    /// A place for another launcher.
    pub(super) fn desk(&self) -> Result<Desk> {
        let fresh = self.workplace.fresh()?;
        let shims = fresh.path().join("commands");
        fs::create_dir(&shims)?;
        for command in COMMANDS {
            shim(&shims.join(command), NOTING)?;
        }
        shim(&shims.join("python"), include_str!("shims/python.sh"))?;
        let env = env_with(&shims)?.chain([("SLURM_CONF".into(), self.conf.into())]).collect();
        Ok(Desk { fresh, env })
    }

    /// Makes a measurement in a runtime of its own, and then takes all jobs away: nothing of one goes
    /// on beside the next.
    pub(super) fn measure<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let measured = runtime.block_on(async {
            tokio::select! {
                measured = work => measured,
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        });
        drop(runtime);
        self.slurm("scancel").arg("--me").run()?;
        let deadline = Instant::now() + CLEARED;
        while self.queued()? > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(100));
        }
        let measured = measured?;
        self.ensure_queued(0).map(|()| measured)
    }

    /// Fails unless there are so many jobs in the queue.
    pub(super) fn ensure_queued(&self, jobs: usize) -> Result<()> {
        let found = self.queued()?;
        ensure!(found == jobs, "{found} jobs are in the queue, not {jobs}: is it used by others?");
        Ok(())
    }

    fn queued(&self) -> Result<usize> {
        let queue = self.slurm("squeue").args(["--noheader", "--array", "--me"]);
        Ok(queue.read()?.lines().count())
    }

    /// One of Slurm's commands, not through a shim.
    pub(super) fn slurm(&self, command: &str) -> Cmd<'_> {
        self.sh.cmd(command).env("SLURM_CONF", self.conf).quiet()
    }
}

impl Desk {
    /// Settings of jobs that take as long as their candidate says. Each asks for so many CPUs that 32 of
    /// them run at once: a small machine starts no more than that without losing its node.
    pub(super) fn config() -> SlurmCondaJobConfig {
        SlurmCondaJobConfig {
            eval_program_path: workspace::root().join(EVALUATOR),
            cpus: 8,
            gpus: 0.into(),
            mem: Memory::from_gibibytes(1).into(),
            infrastructure_retries: 0,
            ..SlurmCondaJobConfig::default()
        }
    }

    /// The same, of jobs that Slurm never starts.
    pub(super) fn held() -> SlurmCondaJobConfig {
        let mut config = Self::config();
        config.sbatch_args.insert("hold".to_owned(), None);
        config
    }

    pub(super) fn scheduler(&self, config: SlurmCondaJobConfig) -> Result<JobScheduler> {
        let options =
            SchedulerOptions { env: Some(self.env.clone()), ..SchedulerOptions::default() };
        Ok(JobScheduler::new(JobType::SlurmConda, config, options)?)
    }

    pub(super) fn env(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.env.iter().map(|(name, value)| (name, value))
    }

    /// A candidate that takes so long.
    pub(super) fn candidate(&self, seconds: f64) -> Result<PathBuf> {
        let path = self.fresh.path().join(format!("{seconds:.1}s"));
        fs::write(&path, format!("{seconds:.1}\n"))?;
        Ok(path)
    }

    pub(super) fn results_dir(&self, job: usize) -> PathBuf {
        self.fresh.results_dir(job)
    }

    /// Submits a job for each candidate, all at once.
    pub(super) fn submit_many(
        &self,
        scheduler: &JobScheduler,
        candidates: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Vec<JobId>> {
        let jobs = candidates.into_iter().enumerate();
        let jobs = jobs.map(|(job, candidate)| (candidate, self.results_dir(job)));
        Ok(scheduler.submit_many(jobs).into_iter().collect::<Result<_, _>>()?)
    }

    /// The calls that are over, in the order of their ends.
    pub(super) fn calls(&self) -> Result<Vec<Call>> {
        let text = fs::read_to_string(self.fresh.path().join("commands/calls"));
        let text = text.unwrap_or_default();
        let call = |line: &str| {
            let mut words = line.split(' ');
            let command = words.next()?.to_owned();
            Some(Call {
                command,
                from: words.next()?.parse().ok()?,
                to: words.next()?.parse().ok()?,
            })
        };
        // The last line may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let calls = whole.lines().map(|line| call(line).with_context(|| line.to_owned()));
        calls.collect::<Result<_>>().context("a shim wrote what is no note of a call")
    }

    /// Waits until so many calls of a command are over: the last of them.
    pub(super) async fn nth_call(&self, command: &str, nth: usize) -> Result<Call> {
        for _ in 0..60_000 {
            let calls = self.calls()?;
            let call = calls.into_iter().filter(|call| call.command == command).nth(nth);
            if let Some(call) = call {
                return Ok(call);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("{command} was not called within a minute")
    }
}

/// This process's environment, with a directory before all others on the path.
pub(in crate::bench) fn env_with(
    first: &Path,
) -> Result<impl Iterator<Item = (OsString, OsString)> + use<>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [first.to_owned()].into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(path)?;
    let others = env::vars_os().filter(|(name, _)| name != "PATH");
    Ok(others.chain([("PATH".into(), path)]))
}

/// Writes a program.
pub(in crate::bench) fn shim(path: &Path, text: &str) -> Result<()> {
    let written = fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)));
    written.with_context(|| format!("cannot write {}", path.display()))
}
