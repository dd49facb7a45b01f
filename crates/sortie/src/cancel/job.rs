//! Ending a job.

use std::path::Path;
use std::time::{Duration, Instant};

use sortie_config::JobConfig;
use sortie_process::Holder;
use sortie_results::{Consent, Lease, Owner};

use super::{How, Wait, ask_holder, elsewhere, unknown};
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
pub(super) fn ask(job: &JobView, how: &How) -> Result<(), Failure> {
    match (job.sighted.holder(), job.state) {
        (Some(holder), state) => ask_keeper(&job.dir, &holder, state, how.now),
        (None, _) if job.sighted.is_there() => Err(elsewhere(&job.dir, &job.sighted.who())),
        (None, State::Unknown) if how.consent == Consent::No => {
            Err(unknown(&job.dir, &job.owner_in_words()))
        }
        (None, State::Unknown) => take_over(job, how),
        (None, State::Orphaned) => cancel_here(&job.dir, how),
        (None, _) => Ok(()),
    }
}

/// Takes a job from an owner that is gone, as the user says: one of Slurm is cancelled, any other was lost with it.
fn take_over(job: &JobView, how: &How) -> Result<(), Failure> {
    if job.is_submitted() {
        return cancel_here(&job.dir, how);
    }
    for lease in job.leases() {
        let taken = Lease::take(&lease, &Owner::this(None, Some("cancel")), how.consent);
        taken.map(drop).map_err(|error| Failure::Job {
            dir: job.dir.clone(),
            problem: error.to_string(),
            hint: "see `sortie status`".to_owned(),
            status: exit_status::SETUP,
        })?;
    }
    Ok(())
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
    match job.state {
        State::Finished | State::Lost => return Ok(true),
        // Its keeper was killed meanwhile.
        State::Orphaned => cancel_here(&job.dir, how)?,
        State::Unknown => return Err(unknown(&job.dir, &job.owner_in_words())),
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
        problem: format!("it is in use by {who}"),
        hint: hint.to_owned(),
        status: exit_status::SETUP,
    }
}
