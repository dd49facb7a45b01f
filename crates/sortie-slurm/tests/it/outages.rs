//! Commands that do not answer: silence is no verdict.

use std::time::Duration;

use sortie_slurm::{Ending, Update};

use crate::world::{Faults, Life, World};

#[tokio::test(start_paused = true)]
async fn an_hour_without_squeue_ends_no_job_and_hides_no_record() {
    let faults = Faults { queue: vec![30.0..3700.0], ..Faults::default() };
    let lives = [Life::good(1.0, 1800.0), Life::good(1.0, 5000.0)];
    let mut watched = World::new(300.0, faults).watch(lives);
    let (id, ended, at) = watched.next_end().await;
    assert_eq!((id, ended.how, ended.recorded), (1, Ending::Recorded, true));
    assert!((1800.0..1801.0).contains(&at), "{at}");
    let (id, ended, at) = watched.next_end().await;
    assert_eq!((id, ended.how), (2, Ending::Recorded));
    assert!((5000.0..5001.0).contains(&at), "{at}");
    let calls = watched.world.calls();
    assert!(calls.queue < 250, "it is asked less while it fails: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_slurm_ended_during_an_outage_is_resolved_after_it() {
    let faults = Faults { queue: vec![30.0..3700.0], ..Faults::default() };
    let mut watched = World::new(300.0, faults).watch([Life::ended("NODE_FAIL", 1.0, 600.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!((ended.how, ended.recorded), (Ending::NodeFailed, false));
    assert!((3700.0..3900.0).contains(&at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn a_squeue_that_hangs_is_not_called_again_meanwhile() {
    let faults = Faults { takes: Duration::from_secs(50), ..Faults::default() };
    let mut watched = World::new(300.0, faults).watch([Life::good(1.0, 4000.0)]);
    watched.no_end_for(3900.0).await;
    let calls = watched.world.calls();
    assert_eq!(calls.queue_at_once, 1);
    // Each call takes 50 s, and is followed by some five minutes of rest.
    assert!((8..16).contains(&calls.queue), "a slow controller is asked seldom: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn accounts_down_for_hours_lose_nothing_while_the_controller_knows() {
    let faults = Faults { accounts: vec![0.0..7200.0], ..Faults::default() };
    let mut watched = World::new(300.0, faults).watch([Life::ended("TIMEOUT", 1.0, 600.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(ended.how, Ending::TimedOut);
    assert!(at < 700.0, "{at}");
}

#[tokio::test(start_paused = true)]
async fn accounts_down_are_waited_for_once_the_controller_has_forgotten() {
    let faults = Faults { accounts: vec![0.0..2000.0], ..Faults::default() };
    let mut watched = World::new(0.001, faults).watch([Life::ended("PREEMPTED", 1.0, 600.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(ended.how, Ending::Preempted);
    assert!((2000.0..2150.0).contains(&at), "{at}");

    let faults = Faults { accounts: vec![0.0..1e9], ..Faults::default() };
    let mut watched = World::new(0.001, faults).watch([Life::ended("PREEMPTED", 1.0, 600.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(ended.how, Ending::Lost);
    assert!((4200.0..4400.0).contains(&at), "silence is believed after an hour: {at}");
}

#[tokio::test(start_paused = true)]
async fn accounts_that_lag_are_waited_for() {
    let life = Life { accounted: Some(780.0), ..Life::ended("OUT_OF_MEMORY", 1.0, 600.0) };
    let mut watched = World::new(0.001, Faults::default()).watch([life]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(ended.how, Ending::OutOfMemory);
    assert!((780.0..900.0).contains(&at), "{at}");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_panics_stops_neither_the_queue_nor_the_other_jobs_for_good() {
    let world = World::new(300.0, Faults::default());
    let mut watched = world.watch([Life::ended("FAILED", 1.0, 100.0)]);
    let bad = sortie_slurm::Tracked {
        id: sortie_slurm::JobId::new(99),
        submitted: std::time::SystemTime::now(),
        look: std::sync::Arc::new(|| panic!("on purpose")),
    };
    watched.watcher.track(bad);
    let (id, ended, _) = watched.next_end().await;
    assert_eq!((id, ended.how), (1, Ending::Failed));
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_not_reported_and_the_end_of_interest_ends_the_watch() {
    let world = World::new(300.0, Faults::default());
    let mut watched = world.watch([Life::good(1.0, 100.0), Life::good(1.0, 200.0)]);
    while !matches!(watched.reports.recv().await.unwrap().update, Update::Started(_)) {}
    watched.watcher.forget(sortie_slurm::JobId::new(1));
    assert_eq!(watched.next_end().await.0, 2);
    drop(watched.watcher);
    assert!(watched.reports.recv().await.is_none());
}
