//! Jobs that Slurm has forgotten, states it has never heard of, files that come late.

use sortie_slurm::{Ending, Evidence, Update};

use crate::world::{Faults, Life, World};

fn no_accounting() -> Faults {
    Faults { no_accounting: true, ..Faults::default() }
}

#[tokio::test(start_paused = true)]
async fn a_job_forgotten_before_we_asked_is_found_by_its_record() {
    for faults in [Faults::default(), no_accounting()] {
        let mut watched = World::new(0.1, faults).watch([Life::good(0.5, 1.0)]);
        let (_, ended, at) = watched.next_end().await;
        assert_eq!(ended.how, Ending::Recorded);
        assert!(at < 1.5, "{at}");
        assert_eq!(watched.world.calls().queue, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_forgotten_without_a_record_is_found_in_the_accounts() {
    let mut watched = World::new(0.0, Faults::default()).watch([Life::ended("FAILED", 1.0, 100.0)]);
    let (_, ended, _) = watched.next_end().await;
    assert_eq!(ended.how, Ending::Failed);
    assert_eq!(ended.info.unwrap().exit.unwrap().to_string(), "0:9");
}

#[tokio::test(start_paused = true)]
async fn without_accounts_queue_and_record_suffice() {
    let lives = [Life::good(1.0, 300.0), Life::ended("TIMEOUT", 1.0, 400.0)];
    let mut watched = World::new(300.0, no_accounting()).watch(lives);
    assert_eq!(watched.next_end().await.1.how, Ending::Recorded);
    assert_eq!(watched.next_end().await.1.how, Ending::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn without_accounts_a_forgotten_job_without_a_record_is_lost_in_time() {
    let mut watched = World::new(0.0, no_accounting()).watch([Life::ended("FAILED", 1.0, 100.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!((ended.how, ended.recorded), (Ending::Lost, false));
    assert!((160.0..260.0).contains(&at), "{at}");
    let calls = watched.world.calls();
    assert!(calls.accounts <= 1, "it is not asked again: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_comes_late_counts() {
    for faults in [Faults::default(), no_accounting()] {
        let late = Life { record: Some((155.0, Evidence::Complete)), ..Life::good(1.0, 100.0) };
        let mut watched = World::new(300.0, faults).watch([late]);
        let (_, ended, at) = watched.next_end().await;
        assert_eq!(ended.how, Ending::Recorded);
        assert!((155.0..156.0).contains(&at), "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_told_to_end_gets_slurms_reason() {
    let record = Some((99.0, Evidence::NeedsState));
    let life = Life { record, ..Life::ended("CANCELLED by 1000", 1.0, 100.0) };
    let mut watched = World::new(300.0, Faults::default()).watch([life]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!((ended.how, ended.recorded), (Ending::Cancelled(Some(1000)), true));
    assert!(at < 110.0, "{at}");
}

#[tokio::test(start_paused = true)]
async fn a_job_cancelled_while_pending_is_over_at_once() {
    let mut watched =
        World::new(300.0, Faults::default()).watch([Life::ended("CANCELLED", 50.0, 50.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(ended.how, Ending::Cancelled(None));
    assert!(at < 90.0, "{at}");
}

/// Or it would be taken for lost, and run again.
#[tokio::test(start_paused = true)]
async fn without_accounts_such_a_job_is_seen_before_it_is_forgotten() {
    for seconds in 0..40 {
        let at = 300.0 + f64::from(seconds);
        let life = Life::ended("CANCELLED", at, at);
        let mut watched = World::new(20.0, no_accounting()).watch([life]);
        assert_eq!(watched.next_end().await.1.how, Ending::Cancelled(None), "at {at} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_nobody_knows_neither_ends_a_job_nor_hangs_it() {
    let mut watched =
        World::new(30.0, Faults::default()).watch([Life::ended("ABDUCTED", 1.0, 100.0)]);
    let (_, ended, at) = watched.next_end().await;
    assert_eq!(
        (ended.how, ended.info.unwrap().state.to_string().as_str()),
        (Ending::Lost, "ABDUCTED")
    );
    assert!(at < 600.0, "{at}");
}

#[tokio::test(start_paused = true)]
async fn waiting_and_starting_are_reported_once() {
    let mut watched = World::new(300.0, Faults::default()).watch([Life::good(100.0, 200.0)]);
    let mut news = Vec::new();
    loop {
        let update = watched.reports.recv().await.unwrap().update;
        match update {
            Update::Pending(info) => news.push(info.reason.unwrap().into_string()),
            Update::Started(info) => news.push(info.host.unwrap().into_string()),
            Update::Ended(ended) => {
                assert_eq!(ended.how, Ending::Recorded);
                break;
            }
        }
    }
    assert_eq!(news, ["Priority", "n1"]);
}
