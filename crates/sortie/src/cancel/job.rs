//! Ending a job.

use std::path::Path;
use std::time::{Duration, Instant};

use sortie_config::JobConfig;
use sortie_process::{Held, Holder};

use super::{Wait, ask_holder, elsewhere};
use crate::attend::{Errand, see_to};
use crate::exit_status;
use crate::failure::Failure;
use crate::forms::State;
use crate::view::JobView;

/// Settings that a job of Slurm can be cancelled with: no others matter for that.
const ANY_OF_SLURM: &str = "job_type: slurm_conda\ninfrastructure_retries: 0\n";
/// How long a keeper may take to note that it was asked, before it is asked again.
const TO_NOTE: Duration = Duration::from_secs(5);
/// How long what a killed keeper has left may take to end.
const TO_END: Duration = Duration::from_secs(5);

/// Has the job ended by whoever sees to it, or here where nobody does.
pub(super) fn ask(job: &JobView, now: bool, verbose: bool) -> Result<(), Failure> {
    match (&job.sighted.held, job.state) {
        (Held::By(holder), state) => ask_keeper(&job.dir, holder, state, now),
        (Held::Elsewhere, _) => Err(elsewhere(&job.dir, &job.sighted.who())),
        (Held::Free, State::Orphaned) => cancel_here(&job.dir, verbose),
        (Held::Free, _) => Ok(()),
    }
}

/// Asks once for a gentle end, and once more for one without grace; never more often than that.
fn ask_keeper(dir: &Path, holder: &Holder, state: State, now: bool) -> Result<(), Failure> {
    if state != State::Stopping {
        ask_holder(dir, holder)?;
    }
    if !now {
        return Ok(());
    }
    // Signals that come too soon after one another become one.
    let until = Instant::now() + TO_NOTE;
    while Instant::now() < until && JobView::of(dir)?.state != State::Stopping {
        if holder.ends_within(Duration::from_millis(10)).unwrap_or(false) {
            return Ok(());
        }
    }
    ask_holder(dir, holder)
}

/// Takes up a job of Slurm that nobody sees to, only to cancel it.
fn cancel_here(dir: &Path, verbose: bool) -> Result<(), Failure> {
    let errand = Errand {
        config: JobConfig::from_yaml(ANY_OF_SLURM, "for cancelling")?,
        name: dir,
        results_dir: dir,
        candidate: None,
        command: "cancel",
        verbose,
        launcher: None,
        prints: false,
    };
    see_to(errand, async |scheduler| {
        let job = scheduler.attach(dir)?;
        scheduler.cancel(&[job]);
        scheduler.wait(job).await?;
        scheduler.results(job)
    })
    .map(drop)
}

/// Whether it is over, after a while.
pub(super) fn is_over(job: &JobView, wait: &Wait<'_>, verbose: bool) -> Result<bool, Failure> {
    match job.state {
        State::Finished | State::Lost => return Ok(true),
        // Its keeper was killed meanwhile.
        State::Orphaned => cancel_here(&job.dir, verbose)?,
        State::Queued | State::Running if job.sweep().is_some() => {
            let sweep = job.sweep().unwrap_or(&job.dir).display();
            return Err(in_hands(job, &format!("the sweep {sweep}"), "cancel the sweep"));
        }
        State::Running if !job.sighted.is_there() && wait.begun.elapsed() > TO_END => {
            let who = "a program that is not this tool";
            return Err(in_hands(job, who, "end that program, and the job ends with it"));
        }
        State::Queued | State::Running | State::Stopping => {
            wait.on(&job.sighted.who(), |time| job.rest(time))?;
        }
    }
    Ok(false)
}

fn in_hands(job: &JobView, who: &str, hint: &str) -> Failure {
    Failure::Job {
        dir: job.dir.clone(),
        problem: format!("it is in the hands of {who}"),
        hint: hint.to_owned(),
        status: exit_status::SETUP,
    }
}
