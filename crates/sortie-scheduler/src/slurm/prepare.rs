//! Before sbatch: results dirs claimed, the script written.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sortie_results::jiff::Timestamp;
use sortie_results::{AttemptId, Claim, Fault, Outcome, ResultsDir, Submitted};
use sortie_slurm::{JobName, Submission};

use super::flight::Flight;
use super::plan::{Plan, Planned, job_name};

/// What is handed to sbatch is kept under this name, in the first results dir.
const SCRIPT: &str = "job_script.sh";

/// Jobs that can be handed to sbatch, as one.
pub(super) struct Prepared {
    pub(super) submission: Submission,
    /// In the order of the array's elements.
    pub(super) flights: Vec<Flight>,
}

/// A job that cannot be submitted.
pub(super) struct Refused {
    pub(super) flight: Flight,
    pub(super) outcome: Outcome,
    /// Whether it has its results dir.
    pub(super) claimed: bool,
}

/// Prepares jobs to be submitted as one, and says of the others why not. Blocks on the file system.
pub(super) fn prepare(plan: &Plan, flights: Vec<Flight>) -> (Option<Prepared>, Vec<Refused>) {
    let mut refused = Vec::new();
    let mut claimed = Vec::new();
    for flight in flights {
        let dir = plan.here.cwd.join(&flight.job.paths.results_dir);
        match ready(plan, &flight).and_then(|()| claim(&dir, flight.attempt)) {
            Ok(claim) => claimed.push((flight, claim, dir)),
            Err(outcome) => refused.push(Refused { flight, outcome, claimed: false }),
        }
    }
    if claimed.is_empty() {
        return (None, refused);
    }
    match hand_over(plan, &mut claimed) {
        Ok(submission) => {
            let flights = claimed.into_iter().map(|(flight, ..)| flight).collect();
            (Some(Prepared { submission, flights }), refused)
        }
        Err(outcome) => {
            let all = claimed.into_iter().map(|(flight, ..)| Refused {
                flight,
                outcome: outcome.clone(),
                claimed: false,
            });
            refused.extend(all);
            (None, refused)
        }
    }
}

fn ready(plan: &Plan, flight: &Flight) -> Result<(), Outcome> {
    let files = [("evaluator", plan.evaluator()), ("candidate", &*flight.job.paths.candidate)];
    for (what, path) in files {
        if let Err(error) = std::fs::metadata(plan.here.cwd.join(path)) {
            let reason = format!("the {what} {} cannot be read: {error}", path.display());
            return Err(Outcome::not_started(reason));
        }
    }
    Ok(())
}

fn claim(dir: &Path, attempt: AttemptId) -> Result<Claim, Outcome> {
    ResultsDir::claim(dir, attempt).map_err(|error| (&error).into())
}

/// Renders the script, keeps a copy of it, and leaves the notes by which the jobs are found again.
fn hand_over(plan: &Plan, claimed: &mut [(Flight, Claim, PathBuf)]) -> Result<Submission, Outcome> {
    let not_written =
        |reason: String| Outcome::SubmitFailed { reason, fault: Fault::Infrastructure };
    let planned: Vec<_> = claimed
        .iter()
        .map(|(flight, _, dir)| Planned {
            attempt: flight.attempt,
            candidate: &flight.job.paths.candidate,
            results_dir: dir,
            command: plan.command(&flight.job.paths),
        })
        .collect();
    let Some(first) = planned.first() else { return Err(Outcome::not_started("there is no job")) };
    let name = job_name(first.attempt);
    let script = plan.script(&name, &planned);
    let script = script.map_err(|error| Outcome::not_started(error.to_string()))?;
    let name = JobName::new(&name).map_err(|error| Outcome::not_started(error.to_string()))?;
    let file = first.results_dir.join(SCRIPT);
    std::fs::write(&file, &script)
        .map_err(|error| not_written(format!("cannot write {}: {error}", file.display())))?;
    let is_array = claimed.len() > 1;
    for (element, (flight, claim, _)) in (0..).zip(claimed.iter_mut()) {
        let submitted_at = Timestamp::now();
        let note = Submitted {
            attempt: flight.attempt,
            candidate: flight.job.paths.candidate.to_string_lossy().into_owned(),
            job_name: name.to_string(),
            element: is_array.then_some(element),
            script: file.to_string_lossy().into_owned(),
            submitted_at,
        };
        claim.submitted(&note).map_err(|error| not_written(error.to_string()))?;
        (flight.since, flight.script) = (SystemTime::now(), file.clone());
    }
    Ok(Submission { name, script: script.into_bytes(), args: Vec::new() })
}
