//! What is printed of a job.

use clap::builder::styling::AnsiColor;
use sortie_results::jiff::Timestamp;
use sortie_results::{JobState, TAKE_OVER, sweep_around, who};
use sortie_scheduler::JobView;

use crate::exit_status;
use crate::failure::with_dir;
use crate::forms::{JobStatus, OwnerForm, SlurmForm, VERSION};
use crate::output::{bold, one_line};

/// The exit status of `sortie run`, of a job that nobody sees to any more.
pub(crate) fn status(job: &JobView) -> u8 {
    job.record().map_or(exit_status::INFRASTRUCTURE, |record| {
        exit_status::of(record.fault, &record.outcome, record.correct)
    })
}

/// What to do about it.
pub(crate) fn advice(job: &JobView) -> Option<String> {
    match job.state() {
        JobState::Orphaned | JobState::Lost if sweep_around(job.dir()).is_some() => {
            Some("its sweep is not running: `sortie sweep --resume` continues it".to_owned())
        }
        JobState::Orphaned => Some(with_dir(
            "its launcher is gone, but Slurm has or had the job: `sortie attach --config FILE DIR` takes it up again",
            job.dir(),
        )),
        JobState::Lost => Some(match job.launcher_log() {
            Some(log) => format!(
                "its launcher was killed or could not write; its messages are in {}; run the job again",
                log.display()
            ),
            None => "its launcher was killed or could not write; run the job again".to_owned(),
        }),
        JobState::Unknown => job.in_use().map(|in_use| format!("{in_use}: {TAKE_OVER}")),
        JobState::Queued | JobState::Running | JobState::Stopping | JobState::Finished => None,
    }
}

pub(crate) fn form(job: &JobView) -> JobStatus {
    let record = job.record();
    let note = job.note();
    let told = note.filter(|_| job.is_kept());
    let submitted = job.submitted();
    let candidate = record.map(|record| record.candidate.clone());
    let candidate = candidate.or_else(|| note.and_then(|note| note.candidate.clone()));
    let attempt = record.map(|record| record.attempt);
    JobStatus {
        version: VERSION,
        kind: "job",
        dir: job.dir().to_string_lossy().into_owned(),
        state: job.state(),
        reason: told.and_then(|note| note.reason.clone()),
        since: record.map(|record| record.ended_at).or(told.map(|note| note.stage_since)),
        candidate: candidate.or_else(|| submitted.map(|note| note.candidate.clone())),
        attempt: attempt.or_else(|| submitted.map(|note| note.attempt)),
        correct: record.map(|record| record.correct),
        score: job.score(),
        outcome: record.map(|record| record.outcome.clone()),
        fault: record.and_then(|record| record.fault),
        detail: record.and_then(|record| record.detail.clone()).or_else(|| problem(job)),
        seconds: record.map(|record| record.seconds),
        keeper: job.launcher().map(OwnerForm::of),
        slurm: submitted.map(|note| SlurmForm {
            job_name: note.job_name.clone(),
            job_id: job.start().ok().flatten().map(|start| start.job_id),
            element: note.element,
        }),
        advice: advice(job),
    }
}

/// A line for people, with colours.
pub(crate) fn line(job: &JobView) -> String {
    let (color, state) = match job.state() {
        JobState::Queued => (AnsiColor::Yellow, "queued"),
        JobState::Running => (AnsiColor::Cyan, "running"),
        JobState::Stopping => (AnsiColor::Yellow, "stopping"),
        JobState::Finished if job.record().is_some_and(|record| record.correct) => {
            (AnsiColor::Green, "finished")
        }
        JobState::Finished => (AnsiColor::Red, "finished"),
        JobState::Orphaned => (AnsiColor::Magenta, "orphaned"),
        JobState::Lost => (AnsiColor::Red, "lost"),
        JobState::Unknown => (AnsiColor::Magenta, "unknown"),
    };
    let style = bold(color);
    let dir = one_line(&job.dir().to_string_lossy());
    format!("{style}{state:<8}{style:#}  {dir}  {}\n", one_line(&said(job)))
}

/// What is wrong with what its script has noted.
fn problem(job: &JobView) -> Option<String> {
    job.start().err().map(|error| error.to_string())
}

fn said(job: &JobView) -> String {
    if let Some(record) = job.record() {
        let what = match (&record.detail, job.score()) {
            (Some(detail), _) => detail.clone(),
            (None, Some(score)) if record.correct => format!("correct, score {score}"),
            (None, _) if record.correct => "correct".to_owned(),
            (None, _) => "not correct".to_owned(),
        };
        return format!("{what} ({:.1} s)", record.seconds.running);
    }
    if let Some(advice) = advice(job) {
        return problem(job).map(|problem| problem + "; ").unwrap_or_default() + &advice;
    }
    if let Some(sweep) = job.sweep() {
        return format!("run by the sweep {}", sweep.display());
    }
    let who = who(job.owner());
    if !job.is_kept() {
        return format!("in use by another program, {who}");
    }
    let reason = job.note().and_then(|note| note.reason.clone());
    let reason = reason.map(|reason| format!("{reason}, ")).unwrap_or_default();
    let time = job.note().map_or(0, |note| seconds_since(note.stage_since));
    format!("{reason}for {time} s ({who})")
}

fn seconds_since(time: Timestamp) -> i64 {
    Timestamp::now().duration_since(time).as_secs().max(0)
}
