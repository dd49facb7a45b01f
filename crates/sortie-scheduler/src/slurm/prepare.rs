//! Before sbatch: results dirs claimed, the script written.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sortie_model::names;
use sortie_results::jiff::Timestamp;
use sortie_results::{
    AttemptId, Claim, Consent, Fault, Outcome, ResultsDir, Submitted, sync_submitted,
};
use sortie_slurm::{JobName, Submission};

use super::flight::Flight;
use super::plan::Plan;

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
    /// Whether its results dir says that it is under way, so that it needs a record.
    pub(super) noted: bool,
}

/// A job with its results dir.
struct Claimed {
    flight: Flight,
    claim: Claim,
    dir: PathBuf,
}

/// Prepares jobs to be submitted as one, and says of the others why not. Blocks on the file system.
pub(super) fn prepare(
    plan: &Plan,
    consent: Consent,
    flights: Vec<Flight>,
) -> (Option<Prepared>, Vec<Refused>) {
    let mut refused = Vec::new();
    let mut claimed = Vec::new();
    for flight in flights {
        let dir = plan.here.cwd.join(&flight.job.paths.results_dir);
        match ready(plan, &flight).and_then(|()| claim(&dir, flight.attempt, consent)) {
            Ok(claim) => claimed.push(Claimed { flight, claim, dir }),
            Err(outcome) => refused.push(Refused { flight, outcome, noted: false }),
        }
    }
    let sha256 = plan.evaluator_sha256();
    let noted = note_all(claimed, sha256.as_deref(), &mut refused);
    if noted.is_empty() {
        return (None, refused);
    }
    match hand_over(plan, &noted) {
        Ok(submission) => {
            let flights = noted.into_iter().map(|noted| noted.flight).collect();
            (Some(Prepared { submission, flights }), refused)
        }
        Err(outcome) => {
            let refuse =
                |Claimed { flight, .. }| Refused { flight, outcome: outcome.clone(), noted: true };
            refused.extend(noted.into_iter().map(refuse));
            (None, refused)
        }
    }
}

fn ready(plan: &Plan, flight: &Flight) -> Result<(), Outcome> {
    plan.usable().map_err(|problem| Outcome::not_started(problem.to_string()))?;
    let candidate = &*flight.job.paths.candidate;
    std::fs::metadata(plan.here.cwd.join(candidate)).map(drop).map_err(|error| {
        let reason = format!("the candidate {} cannot be read: {error}", candidate.display());
        Outcome::not_started(reason)
    })
}

fn claim(dir: &Path, attempt: AttemptId, consent: Consent) -> Result<Claim, Outcome> {
    ResultsDir::claim_with(dir, attempt, consent).map_err(|error| (&error).into())
}

/// Leaves in each results dir the note by which the job is found again; those in which it cannot be left (a disk
/// is full, say) are refused, and the rest goes without them.
fn note_all(
    claimed: Vec<Claimed>,
    sha256: Option<&str>,
    refused: &mut Vec<Refused>,
) -> Vec<Claimed> {
    let mut noted: Vec<Claimed> = Vec::with_capacity(claimed.len());
    let several = claimed.len() > 1;
    for mut job in claimed {
        let element = several.then_some(noted.len());
        match note(noted.first(), &mut job, element, sha256) {
            Ok(()) => noted.push(job),
            Err(outcome) => {
                refused.push(Refused { flight: job.flight, outcome, noted: false });
            }
        }
    }
    // What was to be the first element of an array is the only job.
    if several && noted.len() == 1 {
        for mut job in std::mem::take(&mut noted) {
            match note(None, &mut job, None, sha256) {
                Ok(()) => noted.push(job),
                Err(outcome) => {
                    refused.push(Refused { flight: job.flight, outcome, noted: true });
                }
            }
        }
    }
    noted
}

/// Notes that a job is about to be submitted. `first` is the first element of its array, whose script it shares; `None` for
/// that one itself.
fn note(
    first: Option<&Claimed>,
    job: &mut Claimed,
    element: Option<usize>,
    sha256: Option<&str>,
) -> Result<(), Outcome> {
    let script = match first {
        Some(first) => first.flight.script.clone(),
        None => job.claim.place().state_dir().join(names::SCRIPT),
    };
    let attempt_of_first = first.map_or(job.flight.attempt, |first| first.flight.attempt);
    let (flight, submitted_at) = (&mut job.flight, Timestamp::now());
    let note = Submitted {
        attempt: flight.attempt,
        candidate: flight.job.paths.candidate.to_string_lossy().into_owned(),
        job_name: attempt_of_first.name(),
        element: element.and_then(|element| element.try_into().ok()),
        script: script.to_string_lossy().into_owned(),
        submitted_at,
        evaluator_sha256: sha256.map(str::to_owned),
    };
    job.claim.submitted(&note).map_err(|error| not_written(error.to_string()))?;
    (flight.since, flight.script) = (SystemTime::now(), script);
    flight.place = Some(job.claim.place().clone());
    flight.first = Some(attempt_of_first);
    Ok(())
}

/// Renders the script and keeps a copy of it.
fn hand_over(plan: &Plan, noted: &[Claimed]) -> Result<Submission, Outcome> {
    let planned: Vec<_> = noted
        .iter()
        .map(|job| {
            let (flight, state_dir) = (&job.flight, job.claim.place().state_dir());
            plan.planned(flight.attempt, &flight.job.paths, &job.dir, state_dir)
        })
        .collect();
    let Some(first) = noted.first() else { return Err(Outcome::not_started("there is no job")) };
    let name = first.flight.attempt.name();
    let script = plan.script(&name, &planned);
    let script = script.map_err(|error| Outcome::not_started(error.to_string()))?;
    let name = JobName::new(&name).map_err(|error| Outcome::not_started(error.to_string()))?;
    let kept = first.claim.keep_script(script.as_bytes());
    kept.map_err(|error| not_written(error.to_string()))?;
    let claims: Vec<_> = noted.iter().map(|job| &job.claim).collect();
    sync_submitted(&claims)
        .map_err(|error| not_written(format!("the results dirs cannot be synced: {error}")))?;
    Ok(Submission { name, script: script.into_bytes(), args: Vec::new() })
}

fn not_written(reason: String) -> Outcome {
    Outcome::SubmitFailed { reason, fault: Fault::Infrastructure }
}
