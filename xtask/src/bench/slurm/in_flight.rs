//! What jobs in flight cost the launcher: on a stand-in for Slurm, that has them all running for ever.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use sortie_scheduler::{JobId, JobScheduler, SchedulerOptions, Status};
use xshell::{Shell, cmd};

use super::{
    Figure, Target, Unit, Workplace,
    site::{Desk, env_with, shim},
};
use crate::bench::{cpu::Meter, queued::resident};

const JOBS: &str = "10000";
const STAND_INS: [(&str, &str); 4] = [
    ("sbatch", include_str!("stand_in/sbatch")),
    ("squeue", include_str!("stand_in/squeue")),
    ("scontrol", include_str!("stand_in/scontrol")),
    ("scancel", include_str!("stand_in/scancel")),
];
/// For how long the launcher's CPU time is measured.
const WATCHED: Duration = Duration::from_secs(30);

/// Each time in a new process.
pub(super) fn figures(sh: &Shell, rounds: usize) -> Result<Vec<Figure>> {
    let program = std::env::current_exe()?;
    let measure = || {
        let answer = cmd!(sh, "{program} bench in-flight {JOBS}").quiet().read()?;
        let numbers = answer.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>();
        match numbers.as_deref() {
            Ok(&[bytes, cores]) => Ok((bytes, cores)),
            _ => bail!("not two numbers: {answer:?}"),
        }
    };
    let measured = (0..rounds).map(|_| measure()).collect::<Result<Vec<_>>>()?;
    let (bytes, cores) = measured.into_iter().unzip();
    let figure = |what: &str, unit, sortie, target| Figure {
        what: format!("{what}, {JOBS} jobs in flight"),
        unit,
        sortie,
        other: None,
        target: Target::ValueAtMost(target),
    };
    Ok(vec![
        figure("CPU of launcher and helpers, of one core", Unit::Cores, cores, 0.05),
        figure("memory of the launcher a job", Unit::BytesPerJob, bytes, 4096.0),
    ])
}

/// Prints the bytes of memory that each of so many jobs takes, and what part of a core all of them do.
pub(in crate::bench) fn print(jobs: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let fresh = Workplace::tmpfs()?;
        let place = fresh.fresh()?;
        let commands = place.path().join("commands");
        fs::create_dir(&commands)?;
        for (name, text) in STAND_INS {
            shim(&commands.join(name), text)?;
        }
        fs::write(commands.join("last"), "0\n")?;
        let options = SchedulerOptions {
            env: Some(env_with(&commands)?.collect()),
            ..SchedulerOptions::default()
        };
        let config = Desk::config();
        let candidate = config.eval_program_path.clone();
        let scheduler = JobScheduler::new(sortie_config::JobType::SlurmConda, config, options)?;
        let before = resident()?;
        let pairs = (0..jobs).map(|job| (candidate.clone(), place.results_dir(job as usize)));
        let submitted = scheduler.submit_many(pairs).into_iter().collect::<Result<Vec<_>, _>>()?;
        wait_until_running(&scheduler, &submitted).await?;
        let meter = Meter::start()?;
        tokio::time::sleep(WATCHED).await;
        let cpu = meter.stop()?.total();
        let bytes = resident()?.saturating_sub(before) / u64::from(jobs);
        println!("{bytes} {}", cpu.as_secs_f64() / WATCHED.as_secs_f64());
        Ok(())
    })
}

async fn wait_until_running(scheduler: &JobScheduler, jobs: &[JobId]) -> Result<()> {
    for _ in 0..120 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut running = 0;
        for status in scheduler.status_many(jobs) {
            match status.context("a job is forgotten")? {
                Status::Queued { .. } => {}
                Status::Running { .. } => running += 1,
                Status::Finished(over) => bail!("a job is over: {}", over.outcome),
            }
        }
        if running == jobs.len() {
            return Ok(());
        }
    }
    bail!("the jobs do not all run within two minutes")
}
