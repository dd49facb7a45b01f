//! How soon an end is known, and what knowing it costs.

use crate::world::{Faults, Life, World};

#[tokio::test(start_paused = true)]
async fn two_hundred_jobs_are_known_to_be_over_within_a_moment_for_few_calls() {
    let lives = (0..200).map(|n| Life::good(1.0 + f64::from(n) / 7.0, 60.0 + f64::from(n) / 3.0));
    let mut watched = World::new(300.0, Faults::default()).watch(lives);
    let mut delays = Vec::new();
    for _ in 0..200 {
        let (id, _, at) = watched.next_end().await;
        delays.push(at - (60.0 + f64::from(id - 1) / 3.0));
    }
    delays.sort_by(f64::total_cmp);
    assert!(delays[100] <= 0.5 && delays[198] <= 2.0, "{} {}", delays[100], delays[198]);
    let calls = watched.world.calls();
    assert!(calls.queue <= 10, "{calls:?}");
    assert_eq!((calls.accounts, calls.show), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn jobs_that_end_between_two_listings_are_not_missed() {
    let lives = (0..50).map(|n| Life::good(100.0 + f64::from(n) * 3.0, 101.0 + f64::from(n) * 3.0));
    let mut watched = World::new(300.0, Faults::default()).watch(lives);
    for _ in 0..50 {
        let (id, _, at) = watched.next_end().await;
        let ended = 101.0 + f64::from(id - 1) * 3.0;
        assert!(at - ended <= 1.5, "{}", at - ended);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_that_slurm_ended_are_asked_for_together() {
    let lives = (0..1000).map(|_| Life::ended("NODE_FAIL", 1.0, 60.0));
    let mut watched = World::new(5.0, Faults::default()).watch(lives);
    for _ in 0..1000 {
        watched.next_end().await;
    }
    let calls = watched.world.calls();
    assert!(calls.accounts <= 5 && calls.queue <= 30, "{calls:?}");
}
