//! Containers under Slurm: a real one of each, from `cargo xtask test`.

use sortie_config::{PullPolicy, SlurmDockerJobConfig, TimeLimit};
use sortie_results::{Fault, Outcome};

use crate::containers::{GOOD, STUBBORN, Stage, owner, variable};

#[tokio::test]
async fn a_good_candidate() {
    let Some(stage) = Stage::new(GOOD) else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    assert!(results.correct);
    assert_eq!(owner(&stage.path("results/metrics.json")), owner(&stage.path("candidate.py")));
}

#[tokio::test]
async fn ends_are_told_apart() {
    let Some(stage) = Stage::new("sys.exit(3)") else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!(
        (results.outcome, results.fault),
        (Outcome::Exited { code: 3 }, Some(Fault::Candidate))
    );

    let Some(stage) = Stage::new("x = bytearray(1 << 30); time.sleep(60)") else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!((results.outcome, results.fault), (Outcome::OutOfMemory, Some(Fault::Candidate)));

    let missing = SlurmDockerJobConfig {
        image: "localhost/none:1".into(),
        pull: PullPolicy::Never,
        ..stage.config()
    };
    let results = stage.run(missing).await;
    assert!(matches!(results.outcome, Outcome::SetupFailed { .. }), "{}", results.outcome);
    assert_eq!(results.fault, Some(Fault::Setup));
}

#[tokio::test]
async fn a_cancelled_job_leaves_no_container() {
    let Some(stage) = Stage::new(STUBBORN) else { return };
    let scheduler = stage.scheduler(stage.config());
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    scheduler.cancel(&[job]);
    let results = scheduler.wait(job).await.unwrap();
    assert_eq!(results.outcome, Outcome::Cancelled);
    assert_eq!(stage.containers(results.attempt), "");
}

#[tokio::test]
async fn a_time_limit_holds_for_the_container() {
    let Some(stage) = Stage::new(STUBBORN) else { return };
    // The least that Slurm knows.
    let time = TimeLimit::from_seconds(60).unwrap();
    let results = stage.run(SlurmDockerJobConfig { time, ..stage.config() }).await;
    assert!(matches!(results.outcome, Outcome::TimedOut { .. }), "{}", results.outcome);
}

#[tokio::test]
async fn many_jobs_with_one_archive() {
    let Some(stage) = Stage::new(GOOD) else { return };
    let archive = Some(variable("PYTHON_TAR").into());
    // So much that the node has room for twenty at once.
    let mem = Some("200G".parse().unwrap());
    let config = SlurmDockerJobConfig { image_tar_path: archive, mem, ..stage.config() };
    let scheduler = stage.scheduler(config);
    let dirs =
        (0..60).map(|number| (stage.path("candidate.py"), stage.path(&format!("r{number}"))));
    for job in scheduler.submit_many(dirs) {
        let results = scheduler.wait(job.unwrap()).await.unwrap();
        assert!(results.correct, "{}", results.outcome);
        assert_eq!(stage.containers(results.attempt), "");
    }
}
