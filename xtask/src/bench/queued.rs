//! What a queued job costs in memory.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use sortie_config::{JobType, LocalJobConfig};
use sortie_scheduler::{JobScheduler, SchedulerOptions};

/// Queues so many jobs and prints by how many bytes that makes this process larger, for each. None of
/// them runs, as the runtime never gets to it. To be run in a new process, whose memory is not yet
/// spread about.
pub(super) fn print_bytes_per_job(jobs: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = LocalJobConfig::default();
        let options = SchedulerOptions::default();
        let scheduler = JobScheduler::new(JobType::Local, config, options)?;
        let before = resident()?;
        for job in 0..jobs {
            let dir = format!("results/generation_{job:06}");
            scheduler.submit(Path::new(&dir).join("main.py"), Path::new(&dir).join("results"))?;
        }
        println!("{}", resident()?.saturating_sub(before) / u64::from(jobs));
        Ok(())
    })
}

/// The memory of this process, in bytes.
pub(super) fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.context("/proc/self/status has no VmRSS")? * 1024)
}
