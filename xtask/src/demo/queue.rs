//! What Slurm still has of the demo after it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use xshell::{Shell, cmd};

use super::{Row, mark::Mark};
use crate::slurm::Cluster;

/// A job's record of its end is its script's last deed: Slurm sees to the rest of it afterwards.
const PATIENCE: Duration = Duration::from_secs(10);

/// The processes and jobs that are left, once there are none or the time for that is over.
pub(super) fn left(
    sh: &Shell,
    cluster: &Cluster,
    rows: &[Row],
    mark: &Mark,
) -> Result<(usize, usize)> {
    let names: Vec<_> = rows.iter().map(|row| row.results.attempt.name()).collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let queue = cmd!(sh, "squeue --noheader --array --format=%j")
            .env("SLURM_CONF", &cluster.conf)
            .quiet()
            .read()?;
        let jobs = queue.lines().filter(|job| names.iter().any(|name| name == job.trim())).count();
        let processes = mark.count()?;
        if (processes, jobs) == (0, 0) || Instant::now() > deadline {
            return Ok((processes, jobs));
        }
        thread::sleep(Duration::from_millis(200));
    }
}
