//! What an attempt does with files, beside the runtime: claimed and planned in one call, read, judged and recorded in
//! another. What does not answer holds up this attempt alone, and not for ever once it is to be stopped.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sortie_blocking::here;
use sortie_process::{Exit, Protection, Status, Stopped};
use sortie_results::jiff::{SignedDuration, Timestamp};
use sortie_results::{
    AttemptId, Claim, ClaimError, Ended, Outcome, Record, Results, ResultsDir, Run, Seconds,
};
use tokio::time::sleep;

use super::attempt::{Cancelled, CommandEnd, Execution, FIRST_WAIT, LAST_WAIT};
use super::{NotReady, Planned, Shared, outcome};
use crate::descriptors::are_short;
use crate::executor::{Cancel, Job, without_results};
use crate::hangs::{HANGS, STOPPING, unread};
use crate::job::Paths;
use crate::near::is_near;

/// Why a job waits that could run.
const NO_FILES: &str = "no more files may be open: the limit is reached (`ulimit -n`)";
/// For so long the file system may not answer once a job is to be killed.
const KILLING: Duration = Duration::from_secs(1);

/// A results dir that an attempt has, and what is to be run, if it can be.
pub(super) struct Claimed {
    pub(super) claim: Claim,
    pub(super) planned: Result<Planned, NotReady>,
}

/// Has a claim let go of beside the runtime, should its task not come to that.
pub(super) struct Guard {
    shared: Arc<Shared>,
    claim: Option<Arc<Claim>>,
}

/// Files being kept.
pub(super) type Keeping = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Guard {
    /// Has to be dropped after whatever else has a part in the claim.
    pub(super) fn new(shared: &Arc<Shared>, claim: &Arc<Claim>) -> Self {
        Self { shared: shared.clone(), claim: Some(claim.clone()) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            self.shared.setting.files.spawn(move || drop(claim));
        }
    }
}

/// Claims the results dir and plans the command; or the outcome, if that cannot be.
pub(super) async fn claim(
    shared: &Arc<Shared>,
    job: &Job,
    cancel: &mut Cancelled,
) -> Result<Claimed, Outcome> {
    // The waits for a results dir that another attempt holds are a second together. A tree that was just killed may need
    // milliseconds to let go.
    let mut wait = FIRST_WAIT;
    loop {
        let answered = if shared.is_near(&job.paths) {
            here(|| shared.claim(&job.paths, job.attempt))
        } else {
            claim_beside(shared, job, cancel).await?
        };
        match answered.ok_or_else(broken)? {
            Err(ClaimError::InUse(in_use)) if in_use.certain && wait <= LAST_WAIT => {
                sleep(wait).await;
            }
            Err(ClaimError::Failed { cause, .. })
                if are_short(&cause) && shared.may_wait(wait, cancel) =>
            {
                job.reporter.pending(NO_FILES.into());
                sleep(wait.min(LAST_WAIT)).await;
            }
            other => return other.map_err(|error| (&error).into()),
        }
        wait = wait.saturating_mul(2);
    }
}

/// Claims and plans beside the runtime, as the file system may not answer.
async fn claim_beside(
    shared: &Arc<Shared>,
    job: &Job,
    cancel: &mut Cancelled,
) -> Result<Option<Result<Claimed, ClaimError>>, Outcome> {
    let call = {
        let (shared, paths, attempt) = (shared.clone(), job.paths.clone(), job.attempt);
        move || {
            shared.learn(&paths);
            shared.claim(&paths, attempt)
        }
    };
    let hangs = || {
        job.reporter.pending(HANGS.into());
        job.reporter.hangs();
    };
    let asking = shared.setting.files.run(&job.paths.results_dir, hangs, call);
    let answered = unless_stopped(asking, cancel).await.ok_or(Outcome::Cancelled)?;
    tokio::select! {
        () = job.reporter.goes_on() => {}
        () = stopped(cancel, Cancel::Gently) => {}
    }
    Ok(answered)
}

impl Shared {
    fn claim(&self, paths: &Paths, attempt: AttemptId) -> Result<Claimed, ClaimError> {
        let dir = self.plan.here.cwd.join(&paths.results_dir);
        let claim = ResultsDir::claim_with(&dir, attempt, self.setting.consent)?;
        let planned = self.plan.evaluation(paths, claim.place().state_dir(), attempt);
        Ok(Claimed { claim, planned })
    }

    /// Whether all files of a job, and those that planning it looks at, are known to be on file systems of this machine.
    fn is_near(&self, paths: &Paths) -> bool {
        let near = |path| self.setting.near.has(&self.plan.here.cwd.join(path));
        self.plan_is_near.get() == Some(&true)
            && near(&*paths.results_dir)
            && near(&*paths.candidate)
    }

    /// Finds that out for the next job. May hang.
    fn learn(&self, paths: &Paths) {
        self.plan_is_near.get_or_init(|| {
            let all = self.plan.looks_at();
            all.is_some_and(|all| all.iter().all(|path| is_near(path)))
        });
        for path in [&paths.results_dir, &paths.candidate] {
            self.setting.near.learn(&self.plan.here.cwd.join(path));
        }
    }
}

/// Keeps the result files as they are now.
pub(super) fn keep(shared: &Arc<Shared>, claim: &Arc<Claim>) -> Keeping {
    let (shared, claim) = (shared.clone(), claim.clone());
    Box::pin(async move {
        let (dir, limits) = (claim.path().to_owned(), shared.setting.read_limits);
        let call = move || claim.keep(limits);
        let kept = if shared.setting.near.has(&dir) {
            here(call)
        } else {
            shared.setting.files.run(&dir, || (), call).await
        };
        if let Some(Err(error)) = kept {
            tracing::warn!("what the evaluator has left cannot be kept: {error}");
        }
    })
}

/// Reads what the attempt left, keeps its record, and tells.
pub(super) async fn conclude(
    shared: &Arc<Shared>,
    job: Job,
    (mut guard, claim): (Guard, Arc<Claim>),
    execution: Execution,
    mut cancel: Cancelled,
) {
    let (start, known) = (execution.start(), execution.end.without_files(&job.paths));
    // Of one that has failed, files that its log names are looked at, wherever they are.
    let is_near = execution.end.is_success() && shared.setting.near.has(claim.path());
    let concluding = async {
        let mut execution = execution;
        if let Some(keeping) = execution.keeping.take() {
            keeping.await;
        }
        let protections = shared.setting.supervisor.protections().await;
        let protections = protections.unwrap_or_else(|error| {
            tracing::warn!("the record will not say what kept its processes together: {error}");
            Vec::new()
        });
        guard.claim = None;
        let call = {
            let (shared, paths, submitted) = (shared.clone(), job.paths.clone(), job.submitted);
            move || {
                let ended = record(&shared, &paths, submitted, &claim, execution, &protections);
                if let Some(claim) = Arc::into_inner(claim) {
                    claim.release();
                }
                ended
            }
        };
        if is_near {
            return here(call);
        }
        shared.setting.files.run(&job.paths.results_dir, || job.reporter.hangs(), call).await
    };
    let recorded = unless_stopped(concluding, &mut cancel).await.flatten();
    let (results, record) = recorded.unwrap_or_else(|| {
        let mut results = without_results(job.attempt, known, job.submitted.elapsed());
        results.start.clone_from(&start);
        (results, None)
    });
    shared.log(&results.outcome, start.as_ref());
    job.reporter.ended(results, record);
}

impl CommandEnd {
    fn is_success(&self) -> bool {
        let exit = |exit: &Exit| exit.stopped.is_none() && exit.status == Status::Exited(0);
        matches!(self, Self::Ran { ended: Ok(ended), .. } if exit(ended))
    }

    /// The outcome as far as it is known without any file, should those not answer.
    fn without_files(&self, paths: &Paths) -> Outcome {
        match self {
            Self::NotRun(outcome) => outcome.clone(),
            Self::Ran { ended: Err(error), .. } => outcome::of_run_error(error),
            Self::Ran { ended: Ok(Exit { stopped: Some(Stopped::Asked), .. }), .. } => {
                Outcome::Cancelled
            }
            Self::Ran { .. } => unread(&paths.results_dir),
        }
    }

    /// The outcome, which may be told in files.
    fn outcome(&self, shared: &Shared, claim: &Claim) -> Outcome {
        let plan = &shared.plan;
        let outcome = match self {
            Self::NotRun(outcome) => return outcome.clone(),
            Self::Ran { ended: Ok(exit), contained: true, .. } if exit.stopped.is_none() => {
                plan.outcome_inside(claim.place(), claim.attempt(), exit)
            }
            Self::Ran { ended: Ok(exit), activates, .. } => {
                outcome::of_exit(exit, &plan.limits(), activates.as_deref(), claim.stderr())
            }
            Self::Ran { ended: Err(error), .. } => outcome::of_run_error(error),
        };
        without_evaluator(shared, outcome)
    }
}

/// An evaluator that was taken away meanwhile makes Python exit with a code of its own, for which
/// the candidate is not to blame.
fn without_evaluator(shared: &Shared, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Exited { code } if code != 0 && !shared.plan.has_evaluator() => {
            let path = shared.plan.evaluator().display();
            let reason = format!("the evaluator {path} was removed meanwhile (exit code {code})");
            Outcome::not_started(reason)
        }
        outcome => outcome,
    }
}

/// Reads, judges and records: the results, and the record, if it could be written.
fn record(
    shared: &Shared,
    paths: &Paths,
    submitted: Instant,
    claim: &Claim,
    execution: Execution,
    protections: &[Protection],
) -> (Results, Option<Record>) {
    let exit = execution.exit();
    let seconds = Seconds {
        queued: execution.queued.as_secs_f64(),
        running: exit.map_or(Duration::ZERO, |exit| exit.running).as_secs_f64(),
        total: submitted.elapsed().as_secs_f64(),
    };
    // What is measured is below the command, where no daemon's container is.
    let measured = exit.filter(|_| !shared.plan.outlives_its_script());
    let usage = measured.map(|exit| outcome::usage(&exit.usage)).unwrap_or_default();
    let outcome = execution.end.outcome(shared, claim);
    let programs = paths.programs(&shared.plan.spec, &shared.plan.here.cwd, &outcome);
    let ended = Ended { outcome, seconds, usage, programs };
    let mut results = claim.collect(ended, shared.setting.read_limits);
    let total = submitted.elapsed();
    results.seconds.total = total.as_secs_f64();
    results.start = execution.start();
    let ended_at = Timestamp::now();
    let since_submitted = SignedDuration::try_from(total).unwrap_or_default();
    let started_at = exit.and_then(|exit| Timestamp::try_from(exit.started_at).ok());
    let stragglers = exit.map_or(0, |exit| exit.stragglers);
    let run = Run {
        candidate: paths.candidate.to_path_buf(),
        command: execution.command,
        submitted_at: ended_at.saturating_sub(since_submitted).unwrap_or(ended_at),
        started_at,
        ended_at,
        stragglers,
        protection: protections.iter().map(ToString::to_string).collect(),
        host: shared.plan.here.host.clone(),
        evaluator_sha256: execution.sha256.map(|sha256| sha256.to_string()),
        read_limits: shared.setting.read_limits,
    };
    let record = claim.record(&run, &results).inspect_err(|error| {
        tracing::warn!("the attempt is not recorded: {error}");
    });
    (results, record.ok())
}

/// Waits for the file system; `None` if the job is to be stopped and it does not answer soon.
async fn unless_stopped<T>(answer: impl Future<Output = T>, cancel: &mut Cancelled) -> Option<T> {
    let mut answer = pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => return Some(answer),
        () = stopped(cancel, Cancel::Gently) => {}
    }
    let killed = async {
        stopped(cancel, Cancel::AtOnce).await;
        sleep(KILLING).await;
    };
    tokio::select! {
        biased;
        answer = &mut answer => Some(answer),
        () = sleep(STOPPING) => None,
        () = killed => None,
    }
}

/// Waits until the job is to be stopped, at least as hard as this.
pub(super) async fn stopped(cancel: &mut Cancelled, how: Cancel) {
    if cancel.wait_for(|asked| *asked >= Some(how)).await.is_err() {
        // Nobody is there any more who could ask.
        std::future::pending::<()>().await;
    }
}

/// The outcome of an attempt in which the launcher is at fault.
fn broken() -> Outcome {
    Outcome::Lost { reason: "the launcher failed when it read or wrote files of the job".into() }
}
