//! What an observer sees.

use std::sync::Arc;

use sortie_scheduler::Event;

use crate::{GOOD, Stage, scheduler_with};

#[tokio::test]
async fn each_job_is_submitted_started_and_finished_in_this_order() {
    let stage = Stage::new(GOOD);
    let scheduler = stage.scheduler();
    let mut events = scheduler.events();
    let jobs: Vec<_> = (0..5)
        .map(|n| scheduler.submit(stage.path("candidate"), stage.path(&n.to_string())).unwrap())
        .collect();
    for job in &jobs {
        scheduler.wait(*job).await.unwrap();
    }
    scheduler.shutdown().await;
    let mut seen: Vec<Vec<&str>> = vec![Vec::new(); jobs.len()];
    while let Some(event) = events.next().await {
        let (job, what) = match &event {
            Event::Submitted { job, results_dir } => {
                assert!(results_dir.starts_with(stage.dir.path()));
                (*job, "submitted")
            }
            Event::Started { job } => (*job, "started"),
            Event::Finished { job, finished } => {
                assert!(finished.correct);
                (*job, "finished")
            }
            Event::Pending { .. } | Event::Missed(_) => panic!("{event:?}"),
        };
        seen[jobs.iter().position(|other| *other == job).unwrap()].push(what);
    }
    for events in seen {
        assert_eq!(events, ["submitted", "started", "finished"]);
    }
}

#[tokio::test]
async fn a_slow_observer_misses_events_and_holds_up_nobody() {
    let stage = Stage::new("");
    let scheduler = Arc::new(scheduler_with(stage.config(), 1));
    let mut events = scheduler.events();
    let jobs: Vec<_> = (0..3000)
        .map(|n| scheduler.submit(stage.path("candidate"), stage.path(&n.to_string())).unwrap())
        .collect();
    scheduler.cancel(&jobs);
    for job in jobs {
        scheduler.wait(job).await.unwrap();
    }
    assert!(matches!(events.next().await, Some(Event::Missed(missed)) if missed > 1000));
    assert!(matches!(events.next().await, Some(Event::Finished { .. } | Event::Submitted { .. })));
}
