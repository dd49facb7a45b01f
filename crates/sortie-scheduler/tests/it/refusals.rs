//! Requests that are refused, and why.

use std::os::unix::fs::symlink;

use sortie_config::{JobType, LocalDockerJobConfig, LocalJobConfig, SlurmDockerJobConfig};
use sortie_results::Outcome;
use sortie_scheduler::{JobScheduler, SchedulerError, SchedulerOptions, check, preflight, preview};

use crate::{Stage, scheduler_with};

fn refused(made: Result<JobScheduler, SchedulerError>) -> String {
    made.unwrap_err().to_string()
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_any_job() {
    let options = SchedulerOptions::default;
    let local = LocalJobConfig::default;
    assert_eq!(
        refused(JobScheduler::new(JobType::SlurmConda, local(), options())),
        "the job type is `slurm_conda`, but the settings are those of `local`"
    );
    let none = SchedulerOptions { max_workers: 0, ..options() };
    assert_eq!(
        refused(JobScheduler::new(JobType::Local, local(), none)),
        "`max_workers` is 0, expected at least 1"
    );
    let both = LocalJobConfig {
        conda_env: Some("a".into()),
        activate_script: Some("b".into()),
        ..local()
    };
    assert_eq!(
        refused(JobScheduler::new(JobType::Local, both, options())),
        "`conda_env` and `activate_script` are mutually exclusive: set one of them"
    );
    let docker = SlurmDockerJobConfig { docker_flags: "-d".into(), ..Default::default() };
    assert_eq!(
        refused(JobScheduler::new(JobType::SlurmDocker, docker, options())),
        "docker_flags: `--detach` is refused: the job lasts as long as its container"
    );
}

#[test]
fn without_a_runtime_there_is_no_scheduler() {
    let made =
        JobScheduler::new(JobType::Local, LocalJobConfig::default(), SchedulerOptions::default());
    assert!(matches!(made, Err(SchedulerError::NoRuntime)));
}

#[tokio::test]
async fn two_live_jobs_cannot_share_a_results_dir_by_any_name() {
    let stage = Stage::new("sleep 600");
    let scheduler = scheduler_with(stage.config(), 1);
    let submit = |dir| scheduler.submit(stage.path("candidate"), stage.path(dir));
    symlink(".", stage.path("here")).unwrap();
    let first = submit("results").unwrap();
    let queued = submit("queued").unwrap();
    for other in ["results", "./results", "here/results", "queued", "here/here/queued/"] {
        let error = submit(other).unwrap_err();
        assert!(matches!(error, SchedulerError::ResultsDirInUse { .. }), "{other}: {error}");
    }
    scheduler.kill(&[first, queued]);
    scheduler.wait(first).await.unwrap();
    submit("results").unwrap();
}

#[tokio::test]
async fn nor_can_jobs_of_two_schedulers() {
    let stage = Stage::new("sleep 600");
    let (one, other) = (stage.scheduler(), stage.scheduler());
    one.submit(stage.path("candidate"), stage.path("results")).unwrap();
    stage.appears("results/job_log.out").await;
    let (results, _) = other.run(stage.path("candidate"), stage.path("results")).await.unwrap();
    let Outcome::NotStarted { reason, .. } = &results.outcome else { panic!("{results:?}") };
    assert!(reason.contains("is in use by process "), "{reason}");
}

#[tokio::test]
async fn after_a_shutdown_of_the_runtime_jobs_are_lost_and_nothing_hangs() {
    let stage = Stage::new("sleep 600");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let scheduler = {
        let _inside = runtime.enter();
        stage.scheduler()
    };
    let running = scheduler.submit(stage.path("candidate"), stage.path("a")).unwrap();
    stage.appears("a/job_log.out").await;
    runtime.shutdown_background();
    let late = scheduler.submit(stage.path("candidate"), stage.path("b")).unwrap();
    for job in [running, late] {
        let outcome = scheduler.wait(job).await.unwrap().outcome.clone();
        assert!(matches!(outcome, Outcome::Lost { .. }), "{outcome:?}");
    }
    crate::eventually("its processes to end", || stage.processes().is_empty()).await;
}

#[tokio::test]
async fn check_and_preview_name_what_is_missing() {
    let stage = Stage::new("");
    let mut config = LocalJobConfig { python_executable: None, ..stage.config() };
    let problems = |config: LocalJobConfig| async move {
        let findings = check(&config.into()).await;
        let problems =
            findings.into_iter().filter_map(|f| f.result.err().map(|p| (f.subject, p.what)));
        problems.collect::<Vec<_>>()
    };
    assert_eq!(problems(config.clone()).await, []);

    config.eval_program_path = stage.path("missing.py");
    config.python_executable = Some("no-such-python".into());
    let found = problems(config.clone()).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1.contains("missing.py cannot be read: No such file"), "{found:?}");
    assert!(found[1].1.contains("no-such-python is not on PATH"), "{found:?}");
    let error = preview(&config.clone().into(), "c", "r").unwrap_err().to_string();
    assert!(error.starts_with("the evaluator"), "{error}");
    let refused = |config: &LocalJobConfig| preflight(&config.clone().into()).map(|p| p.what);
    assert!(refused(&config).unwrap().contains("missing.py cannot be read"));
    config.eval_program_path = stage.config().eval_program_path;
    assert!(refused(&config).unwrap().contains("no-such-python is not on PATH"));
    config.eval_program_path = stage.path("missing.py");

    config.python_executable = Some("false".into());
    let found = problems(config.clone()).await;
    assert!(found[1].1.contains("false ends with exit code 1"), "{found:?}");
    // That is told by running it alone.
    assert_eq!(
        refused(&LocalJobConfig { eval_program_path: stage.config().eval_program_path, ..config }),
        None
    );

    symlink("/bin/sh", stage.path("docker")).unwrap();
    let docker_here = stage.path("docker").display().to_string();
    let docker = |engine: &str, tar: Option<&str>| LocalDockerJobConfig {
        eval_program_path: stage.config().eval_program_path,
        image: "i".into(),
        engine: engine.into(),
        image_tar_path: tar.map(|name| stage.path(name)),
        ..LocalDockerJobConfig::default()
    };
    let refused = |config: LocalDockerJobConfig| preflight(&config.into()).map(|p| p.what);
    assert_eq!(refused(docker(&docker_here, None)), None);
    let said = "the container engine /none/docker does not exist";
    assert!(refused(docker("/none/docker", None)).unwrap().starts_with(said));
    assert!(refused(docker(&docker_here, Some("i.tar"))).unwrap().contains("i.tar cannot be read"));
}
