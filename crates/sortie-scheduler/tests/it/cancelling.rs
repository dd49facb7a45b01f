//! Jobs that are stopped: one by one, by losing interest, all together.

use std::time::{Duration, Instant};

use sortie_results::{Outcome, Record};
use sortie_scheduler::{JobId, JobScheduler, SchedulerError};

use crate::{Stage, eventually, scheduler_with};

/// Tidies up on SIGTERM, and leaves a process about that ignores it.
const TIDY: &str = r#"trap 'echo tidied; exit 0' TERM
(trap '' TERM; exec sleep 600) & touch "$4/started"; while :; do sleep 0.01; done"#;
/// Ignores SIGTERM, with all it starts.
const STUBBORN: &str =
    r#"trap '' TERM; setsid sleep 600 & touch "$4/started"; sleep 600; sleep 600"#;

async fn started(stage: &Stage, scheduler: &JobScheduler) -> JobId {
    let job = scheduler.submit(stage.path("candidate"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    job
}

fn with_grace(stage: &Stage, grace: Duration) -> JobScheduler {
    let mut config = stage.config();
    config.limits.grace = grace;
    scheduler_with(config, 1)
}

#[tokio::test]
async fn a_running_job_may_tidy_up() {
    let stage = Stage::new(TIDY);
    let scheduler = with_grace(&stage, Duration::from_millis(300));
    let job = started(&stage, &scheduler).await;
    scheduler.cancel(&[job]);
    scheduler.cancel(&[job]);
    let finished = scheduler.wait(job).await.unwrap();
    assert_eq!((&finished.outcome, finished.fault), (&Outcome::Cancelled, None));
    let results = scheduler.results(job).unwrap();
    assert_eq!(results.stdout_log.text(), "tidied\n");
    assert_eq!(stage.processes(), [] as [String; 0]);
    scheduler.cancel(&[job]);
    assert_eq!(scheduler.wait(job).await.unwrap(), finished);
}

#[tokio::test]
async fn kill_waits_for_no_grace_period() {
    let stage = Stage::new(STUBBORN);
    let scheduler = with_grace(&stage, Duration::from_secs(600));
    let job = started(&stage, &scheduler).await;
    scheduler.cancel(&[job]);
    scheduler.kill(&[job]);
    assert_eq!(scheduler.wait(job).await.unwrap().outcome, Outcome::Cancelled);
    assert_eq!(stage.processes(), [] as [String; 0]);
}

#[tokio::test]
async fn a_queued_job_is_over_at_once_and_touches_nothing() {
    let stage = Stage::new(STUBBORN);
    let scheduler = with_grace(&stage, Duration::ZERO);
    let first = started(&stage, &scheduler).await;
    let queued = scheduler.submit(stage.path("candidate"), stage.path("queued")).unwrap();
    scheduler.cancel(&[queued]);
    assert_eq!(scheduler.wait(queued).await.unwrap().outcome, Outcome::Cancelled);
    assert_eq!(scheduler.results(queued).unwrap().outcome, Outcome::Cancelled);
    assert!(!stage.path("queued").exists());
    // Its directory is free again.
    let again = scheduler.submit(stage.path("candidate"), stage.path("queued")).unwrap();
    scheduler.cancel(&[first]);
    scheduler.wait(first).await.unwrap();
    stage.appears("queued/started").await;
    scheduler.kill(&[again]);
    scheduler.wait(again).await.unwrap();
}

#[tokio::test]
async fn cancelled_on_the_way_to_the_executor_is_cancelled() {
    let stage = Stage::new("sleep 600");
    let scheduler = scheduler_with(stage.config(), 8);
    for n in 0..50 {
        let job = scheduler.submit(stage.path("candidate"), stage.path(&format!("r{n}"))).unwrap();
        for _ in 0..n % 5 {
            tokio::task::yield_now().await;
        }
        scheduler.cancel(&[job]);
        assert_eq!(scheduler.wait(job).await.unwrap().outcome, Outcome::Cancelled);
    }
    assert_eq!(stage.processes(), [] as [String; 0]);
}

#[tokio::test]
async fn dropping_a_run_stops_its_job() {
    let stage = Stage::new(TIDY);
    let scheduler = with_grace(&stage, Duration::from_millis(100));
    let mut events = scheduler.events();
    {
        let run = scheduler.run(stage.path("candidate"), stage.path("results"));
        tokio::select! {
            _ = run => panic!("it does not end"),
            () = stage.appears("results/started") => {}
        }
    }
    while !matches!(events.next().await, Some(sortie_scheduler::Event::Finished { .. })) {}
    assert_eq!(stage.processes(), [] as [String; 0]);
    assert_eq!(Record::read(&stage.path("results")).unwrap().outcome, Outcome::Cancelled);
    // And makes room for the next.
    assert!(scheduler.submit(stage.path("candidate"), stage.path("results")).is_ok());
}

#[tokio::test]
async fn dropping_the_scheduler_kills_its_jobs() {
    let stage = Stage::new(STUBBORN);
    let scheduler = with_grace(&stage, Duration::from_secs(600));
    let queued = stage.path("queued");
    started(&stage, &scheduler).await;
    scheduler.submit(stage.path("candidate"), &queued).unwrap();
    drop(scheduler);
    eventually("its processes to end", || stage.processes().is_empty()).await;
    eventually("the record", || Record::read(&stage.path("results")).is_ok()).await;
    assert!(!queued.exists());
}

#[tokio::test]
async fn shutdown_returns_when_nothing_runs_any_more() {
    let stage = Stage::new(TIDY);
    let scheduler = with_grace(&stage, Duration::from_millis(100));
    started(&stage, &scheduler).await;
    let mut events = scheduler.events();
    scheduler.submit(stage.path("candidate"), stage.path("queued")).unwrap();
    let from = Instant::now();
    scheduler.shutdown().await;
    assert!(from.elapsed() < Duration::from_secs(300));
    assert_eq!(stage.processes(), [] as [String; 0]);
    assert_eq!(Record::read(&stage.path("results")).unwrap().outcome, Outcome::Cancelled);
    let mut finished = 0;
    while let Some(event) = events.next().await {
        finished += u32::from(matches!(event, sortie_scheduler::Event::Finished { .. }));
    }
    assert_eq!(finished, 2);
}

#[tokio::test]
async fn of_unknown_jobs_only_questions_are_errors() {
    let stage = Stage::new("");
    let (scheduler, other) = (stage.scheduler(), stage.scheduler());
    let job = other.submit(stage.path("candidate"), stage.path("results")).unwrap();
    other.wait(job).await.unwrap();
    scheduler.cancel(&[job]);
    let error = scheduler.status(job).unwrap_err();
    assert!(matches!(error, SchedulerError::UnknownJob(_)));
    assert_eq!(error.to_string(), "there is no job 1");
}
