//! What stays in a results dir, for those who come later.

use std::fs;

use sortie_results::{Outcome, ReadLimits, load};

use crate::{CORRECT, Stage};

#[tokio::test]
async fn an_attempt_can_be_loaded_long_after_and_the_one_before_it_too() {
    let stage = Stage::new(&format!("echo first; {CORRECT}"));
    let scheduler = stage.shell("");
    let dir = stage.path("results");
    let (first, _) = scheduler.run(stage.path("candidate"), &dir).await.unwrap();
    assert!(first.correct);

    // The second finds the first one's files there, and writes none.
    fs::write(stage.path("evaluate"), "echo second").unwrap();
    let (second, _) = scheduler.run(stage.path("candidate"), &dir).await.unwrap();
    assert!(!second.correct && second.metrics.is_empty());
    assert_eq!(second.outcome, Outcome::Exited { code: 0 });
    let detail = "correct.json is missing; metrics.json is missing";
    assert_eq!(second.detail.as_deref(), Some(detail));
    drop(scheduler);

    let (record, loaded) = load(&dir, Some(second.attempt), ReadLimits::default()).unwrap();
    assert_eq!(loaded, second);
    assert_eq!(record.candidate, stage.path("candidate"));
    let before = dir.join("previous").join(first.attempt.to_string());
    let (_, loaded) = load(&before, Some(first.attempt), ReadLimits::default()).unwrap();
    assert_eq!(loaded, first);
    assert!(load(&dir, Some(first.attempt), ReadLimits::default()).is_err());
}

#[tokio::test]
async fn an_attempt_that_was_stopped_is_on_record() {
    let stage = Stage::new("echo begun; : > \"$4/ready\"; exec sleep 600");
    let scheduler = stage.shell("limits: {grace_seconds: 0.2}\n");
    let dir = stage.path("results");
    let job = scheduler.submit(stage.path("candidate"), &dir).unwrap();
    crate::eventually("the job to start", || dir.join("ready").exists()).await;
    scheduler.shutdown().await;
    stage.is_empty();
    let (_, loaded) = load(&dir, None, ReadLimits::default()).unwrap();
    assert_eq!((loaded.outcome, loaded.fault), (Outcome::Cancelled, None), "{job}");
    assert_eq!(loaded.stdout_log.text(), "begun\n");
}
