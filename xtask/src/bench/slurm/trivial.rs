//! What sortie adds to jobs that do next to nothing: from handing them in to the last result, against a bare array of
//! the same commands.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    Figure, Other, Target, Unit,
    site::{Desk, EVALUATOR, Site},
};
use crate::workspace;

const JOBS: u32 = 200;
/// How long either may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Per job, in turn.
pub(super) fn figure(site: &Site<'_>, rounds: usize) -> Result<Figure> {
    let (mut sortie, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        sortie.push(site.measure(ours(site))? / f64::from(JOBS));
        other.push(site.measure(async { bare(site) })? / f64::from(JOBS));
    }
    Ok(Figure {
        what: format!("{JOBS} trivial jobs with `submit_many`, to the last result, per job"),
        unit: Unit::SecondsPerJob,
        sortie,
        other: Some(Other { name: "bare sbatch --array", values: other }),
        target: Target::RatioAtMost(1.5),
    })
}

/// In seconds.
async fn ours(site: &Site<'_>) -> Result<f64> {
    let desk = site.desk()?;
    let scheduler = desk.scheduler(Desk::config())?;
    let candidate = desk.candidate(0.0)?;
    let from = Instant::now();
    for job in desk.submit_many(&scheduler, vec![candidate; JOBS as usize])? {
        let over = scheduler.wait(job).await?;
        ensure!(scheduler.results(job)?.correct, "{job}: {}, {:?}", over.outcome, over.fault);
    }
    Ok(from.elapsed().as_secs_f64())
}

/// The same evaluator, in a script of one line.
fn bare(site: &Site<'_>) -> Result<f64> {
    let desk = site.desk()?;
    let candidate = desk.candidate(0.0)?;
    let dirs: Vec<_> = (0..JOBS as usize).map(|job| desk.results_dir(job)).collect();
    dirs.iter().try_for_each(fs::create_dir_all)?;
    let evaluator = workspace::root().join(EVALUATOR);
    // Results dirs are named by their number.
    let parent = dirs[0].parent().unwrap_or(&dirs[0]);
    let script = format!(
        "#!/bin/sh\nexec sh '{}' --program_path '{}' --results_dir '{}'/$SLURM_ARRAY_TASK_ID\n",
        evaluator.display(),
        candidate.display(),
        parent.display(),
    );
    let array = format!("--array=0-{}", JOBS - 1);
    let options = ["--parsable", &array, "--cpus-per-task=8", "--mem=1G", "--output=/dev/null"];
    let from = Instant::now();
    site.slurm("sbatch").args(options).stdin(script).ignore_stdout().run()?;
    while !dirs.iter().all(|dir| dir.join("correct.json").exists()) {
        ensure!(from.elapsed() < PATIENCE, "a bare array is not over after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(10));
    }
    Ok(from.elapsed().as_secs_f64())
}
