//! A program that has children, signals and a runtime of its own.

use std::sync::Arc;

use crate::{CORRECT, Stage};

/// A child of the program itself, which has nothing to do with jobs.
#[expect(clippy::disallowed_methods, reason = "the host program's own child")]
fn own_child(script: &str) -> tokio::process::Child {
    tokio::process::Command::new("sh").args(["-c", script]).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_children_are_neither_reaped_nor_stopped() {
    let stage = Stage::new(&format!("sleep 0.01 & {CORRECT}"));
    let scheduler = Arc::new(stage.shell(""));
    let mut long = own_child("exec sleep 600");
    let children: Vec<_> = (0..20).map(|code| (code, own_child(&format!("exit {code}")))).collect();
    let jobs: Vec<_> = (0..20)
        .map(|n| {
            let (scheduler, dir) = (scheduler.clone(), stage.path(format!("results-{n}")));
            let candidate = stage.path("candidate");
            tokio::spawn(async move { scheduler.run(candidate, dir).await.unwrap().0 })
        })
        .collect();
    for job in jobs {
        let results = job.await.unwrap();
        assert!(results.correct, "{results:?}");
    }
    for (code, mut child) in children {
        assert_eq!(child.wait().await.unwrap().code(), Some(code));
    }
    stage.is_empty();
    drop(scheduler);
    assert_eq!(long.try_wait().unwrap(), None);
    long.kill().await.unwrap();
}

#[tokio::test]
async fn several_schedulers_in_it_get_along() {
    let stage = Stage::new(CORRECT);
    let schedulers: Vec<_> = (0..4).map(|_| stage.shell("")).collect();
    for (n, scheduler) in schedulers.iter().enumerate() {
        let dir = stage.path(format!("results-{n}"));
        let (results, _) = scheduler.run(stage.path("candidate"), dir).await.unwrap();
        assert!(results.correct, "{results:?}");
    }
}
