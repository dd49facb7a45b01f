//! Ending a job.

use std::path::Path;

use sortie_config::JobConfig;
use sortie_results::{JobState, who};
use sortie_scheduler::{HandleError, JobView};

use super::{How, Wait};
use crate::attend::{Errand, see_to};
use crate::failure::Failure;

/// Settings that a job of Slurm can be cancelled with: no others matter for that.
const ANY_OF_SLURM: &str = "job_type: slurm_conda\ninfrastructure_retries: 0\n";

/// Has the job ended by whoever sees to it, or here where nobody does.
pub(super) fn ask(job: &JobView, how: &How) -> Result<(), Failure> {
    let job = job.handle();
    let asked = if how.now { job.kill(how.consent) } else { job.cancel(how.consent) };
    match asked {
        Err(HandleError::Orphaned { dir }) => cancel_here(&dir, how),
        asked => Ok(asked?),
    }
}

/// Takes up a job of Slurm that nobody sees to, only to cancel it.
fn cancel_here(dir: &Path, how: &How) -> Result<(), Failure> {
    let errand = Errand {
        config: JobConfig::from_yaml(ANY_OF_SLURM, "for cancelling")?,
        name: dir,
        results_dir: dir,
        candidate: None,
        command: "cancel",
        verbose: how.verbose,
        launcher: None,
        prints: false,
        consent: how.consent,
    };
    see_to(errand, async |scheduler| {
        let job = scheduler.attach_to(dir).await?;
        scheduler.cancel(&[job]);
        scheduler.wait(job).await?;
        scheduler.collect(job).await
    })
    .map(drop)
}

/// Whether it is over, after a while.
pub(super) fn is_over(job: &JobView, wait: &Wait<'_>, how: &How) -> Result<bool, Failure> {
    match job.state() {
        JobState::Finished | JobState::Lost => return Ok(true),
        _ if job.is_kept() => wait.on(&who(job.launcher()), |time| job.pause(time))?,
        // Its launcher was killed meanwhile, or it is in the hands of somebody else.
        _ => ask(job, how)?,
    }
    Ok(false)
}
