//! Many jobs.

use std::fs;
use std::time::{Duration, Instant};

use sortie_results::Outcome;
use sortie_scheduler::Status;

use crate::{GOOD, Stage, run_program, scheduler_with};

#[tokio::test]
async fn no_more_run_at_once_than_may_and_in_their_order() {
    let script = format!(
        r#"here=$(dirname "$4"); mkdir "$here/running/$$"; ls "$here/running" | wc -l > "$4/count"
        basename "$4" >> "$here/order"; sleep 0.02; rmdir "$here/running/$$"; {GOOD}"#
    );
    let stage = Stage::new(&script);
    fs::create_dir(stage.path("running")).unwrap();
    let scheduler = scheduler_with(stage.config(), 3);
    let names: Vec<String> = (0..30).map(|n| format!("job{n:02}")).collect();
    let jobs: Vec<_> = names
        .iter()
        .map(|name| scheduler.submit(stage.path("candidate"), stage.path(name)).unwrap())
        .collect();
    for job in jobs {
        assert!(scheduler.wait(job).await.unwrap().correct);
    }
    let counts = names.iter().map(|name| {
        fs::read_to_string(stage.path(name).join("count")).unwrap().trim().parse::<u32>().unwrap()
    });
    assert!(counts.clone().all(|count| count <= 3), "{:?}", counts.collect::<Vec<_>>());
    // Up to those that run at once.
    let order = fs::read_to_string(stage.path("order")).unwrap();
    let position = |name: &String| order.lines().position(|line| line == name).unwrap();
    for (expected, name) in names.iter().enumerate() {
        assert!(position(name).abs_diff(expected) < 6, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_queued_then_cancelled() {
    let stage = Stage::new(r#"trap '' TERM; touch "$4/started"; sleep 600; sleep 600"#);
    let mut config = stage.config();
    config.limits.grace = Duration::ZERO;
    let scheduler = scheduler_with(config, 2);
    let all = (0..10_000).map(|n| (stage.path("candidate"), stage.path(&format!("r{n}"))));
    let jobs: Vec<_> = scheduler.submit_many(all).into_iter().map(Result::unwrap).collect();
    stage.appears("r1/started").await;
    let queued = scheduler
        .status_many(&jobs)
        .into_iter()
        .filter(|s| *s == Some(Status::Queued { reason: None }));
    assert_eq!(queued.count(), 9_998);

    let from = Instant::now();
    scheduler.cancel(&jobs);
    for job in &jobs {
        assert_eq!(scheduler.wait(*job).await.unwrap().outcome, Outcome::Cancelled);
    }
    assert!(from.elapsed() < Duration::from_secs(300), "{:?}", from.elapsed());
    assert_eq!(stage.processes(), [] as [String; 0]);
    // Only those that had been started have touched anything.
    let dirs = fs::read_dir(stage.dir.path()).unwrap();
    let is_made =
        |entry: &fs::DirEntry| entry.path().is_dir() && !entry.path().ends_with(".sortie");
    assert_eq!(dirs.filter(|entry| is_made(entry.as_ref().unwrap())).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_gets_its_own_results() {
    let stage = Stage::new(
        r#"echo "{\"combined_score\": $(basename "$4")}" > "$4/metrics.json"
        echo '{"correct": true}' > "$4/correct.json"; basename "$4""#,
    );
    let scheduler = std::sync::Arc::new(scheduler_with(stage.config(), 32));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..300_u32 {
        let scheduler = scheduler.clone();
        let (candidate, dir) = (stage.path("candidate"), stage.path(&n.to_string()));
        tasks.spawn(async move { (n, scheduler.run(candidate, dir).await.unwrap().0) });
    }
    while let Some(joined) = tasks.join_next().await {
        let (n, results) = joined.unwrap();
        assert_eq!(results.metrics["combined_score"].as_f64(), Some(f64::from(n)));
        assert_eq!(results.stdout_log.text(), format!("{n}\n"));
    }
}

/// In a process of its own, so that the threads of other tests are not counted.
#[test]
fn there_is_no_thread_for_each_that_runs() {
    const INSIDE: &str = "SORTIE_TEST_THREADS";
    if std::env::var_os(INSIDE).is_none() {
        let program = std::env::current_exe().unwrap();
        let name = "many::there_is_no_thread_for_each_that_runs";
        let command = format!("{INSIDE}=1 {} --exact {name} --nocapture", program.display());
        return run_program("sh", &["-c", &command]);
    }
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = Stage::new(&format!(
            r#"touch "$4/started"; while [ ! -e "$(dirname "$4")/end" ]; do sleep 0.05; done; {GOOD}"#
        ));
        let scheduler = scheduler_with(stage.config(), 20);
        let before = threads();
        let submit =
            |n| scheduler.submit(stage.path("candidate"), stage.path(&format!("r{n}"))).unwrap();
        let jobs: Vec<_> = (0..20).map(submit).collect();
        for n in 0..20 {
            stage.appears(&format!("r{n}/started")).await;
        }
        // One makes calls to file systems that may not answer.
        assert!(threads() <= before + 1);
        fs::write(stage.path("end"), "").unwrap();
        for job in jobs {
            assert!(scheduler.wait(job).await.unwrap().correct);
        }
    });
}
