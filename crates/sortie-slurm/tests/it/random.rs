//! Random lives on a random cluster: each job ends once, in time, and as it did.

use proptest::collection::vec;
use proptest::prelude::*;
use sortie_slurm::{Ending, Evidence, JobState, Phase};

use crate::world::{Faults, Life, World};

fn lives() -> impl Strategy<Value = Life> {
    let how = prop::sample::select(vec![
        "COMPLETED",
        "FAILED",
        "TIMEOUT",
        "NODE_FAIL",
        "PREEMPTED",
        "CANCELLED by 5",
        "OUT_OF_MEMORY",
    ]);
    let evidence = prop::sample::select(vec![Evidence::Complete, Evidence::NeedsState]);
    let record = prop::option::of((0.0..45.0, evidence));
    let accounted = prop::option::of(0.0..200.0);
    (how, 0.0..100.0, 1.0..500.0, record, accounted).prop_map(|(how, starts, runs, record, lag)| {
        let ends = starts + runs;
        let record = record.map(|(late, evidence)| (ends + late, evidence));
        Life { starts, ends, how, record, accounted: lag.map(|lag| ends + lag) }
    })
}

fn outages() -> impl Strategy<Value = Vec<std::ops::Range<f64>>> {
    let outage = (0.0..1000.0, 0.0..1000.0).prop_map(|(from, length)| from..from + length);
    vec(outage, 0..3)
}

fn faults() -> impl Strategy<Value = Faults> {
    (outages(), outages(), outages(), any::<bool>()).prop_map(|(queue, accounts, show, none)| {
        Faults { queue, accounts, show, no_accounting: none, ..Faults::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn each_job_ends_once_in_time_and_as_it_did(
        lives in vec(lives(), 1..6),
        memory in 0.0..400.0,
        faults in faults(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut watched = World::new(memory, faults).watch(lives.clone());
            let mut open: Vec<_> = (1..).zip(&lives).collect();
            while !open.is_empty() {
                let (id, ended, at) = watched.next_end().await;
                let place = open.iter().position(|(open, _)| *open == id).expect("ended twice");
                let (_, life) = open.swap_remove(place);
                assert!(at >= life.ends, "{ended:?} at {at} of {life:?}");
                assert!(at <= 3000.0 + 3600.0 + 200.0, "{ended:?} at {at} of {life:?}");
                let Phase::Ended(truth) = JobState::parse(life.how).phase() else { unreachable!() };
                let complete = matches!(life.record, Some((_, Evidence::Complete)));
                match ended.how {
                    Ending::Recorded => assert!(complete),
                    Ending::Lost => assert!(!complete, "{life:?}"),
                    how => assert_eq!(how, truth),
                }
            }
            drop(watched.watcher);
            assert!(watched.reports.recv().await.is_none(), "news after the end");
        });
    }
}
