//! Containers on this machine, on a real engine, from `cargo xtask test`.

use std::fs;

use sortie_config::{LocalDockerJobConfig, LocalJobConfig, TimeLimit};
use sortie_results::Outcome;
use sortie_scheduler::{Preview, check, clean, preview};

use super::{GOOD, OBEDIENT, STUBBORN, Stage};

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_time_limit_holds_for_the_container() {
    let stage = Stage::new(STUBBORN);
    let time = TimeLimit::from_seconds(2).ok();
    let results = stage.run(LocalDockerJobConfig { time, ..stage.local() }).await;
    assert_eq!(results.outcome, Outcome::TimedOut { limit_seconds: 2.0 });
    assert!(results.seconds.running < 10.0, "{}", results.seconds.running);
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_killed_job_leaves_no_container() {
    let stage = Stage::new(OBEDIENT);
    let scheduler = stage.scheduler(stage.local());
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    scheduler.kill(&[job]);
    let results = scheduler.wait(job).await.unwrap();
    assert_eq!(results.outcome, Outcome::Cancelled);
    assert_eq!(stage.containers(results.attempt), "");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_dropped_run_leaves_no_container() {
    let stage = Stage::new(STUBBORN);
    let scheduler = stage.scheduler(stage.local());
    let run = scheduler.run(stage.path("candidate.py"), stage.path("results"));
    tokio::select! {
        _ = run => panic!("it cannot have ended"),
        () = stage.appears("results/started") => {}
    }
    stage.has_no_containers().await;
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn it_is_bound_to_cpus_of_its_own() {
    let told = r#"
print(len(os.sched_getaffinity(0)), os.environ["OMP_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS"))
"#;
    let stage = Stage::new(&format!("{told}{GOOD}"));
    let mut config = LocalDockerJobConfig { cpus: Some(1), ..stage.local() };
    config.environment.set.insert("OMP_NUM_THREADS".into(), "5".into());
    let results = stage.run(config).await;
    assert!(results.correct, "{} {}", results.outcome, results.stderr_log.text());
    let has_quota = std::thread::available_parallelism().unwrap().get() == 1;
    let told = results.stdout_log.text();
    assert!(has_quota || told == "1 5 None\n", "{told}");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn gpus_are_those_that_it_is_dealt() {
    let mut stage = Stage::new(GOOD);
    let seen = stage.path("seen").display().to_string();
    let engine = stage.engine(&format!("[ $1 != run ] || printf '%s\\n' \"$@\" >{seen}"));
    stage.env.push(("CUDA_VISIBLE_DEVICES".into(), "GPU-d0,MIG-d1,GPU-d2".into()));
    // With flags for all of them, too, it has its own.
    for docker_flags in ["", "--gpus all"] {
        let docker_flags = docker_flags.to_owned();
        let engine = engine.clone();
        let config = LocalDockerJobConfig { engine, gpus: Some(2), docker_flags, ..stage.local() };
        let results = stage.run(config).await;
        // There are none that the engine could pass on.
        assert!(results.outcome.to_string().contains("container: "), "{}", results.outcome);
        let seen = fs::read_to_string(stage.path("seen")).unwrap();
        assert!(seen.contains("\n--gpus=\"device=GPU-d0,MIG-d1\"\n"), "{seen}");
        assert!(!seen.contains("--gpus=all"), "{seen}");
    }
}

/// Says to a child process, started from this program, where to run a job.
const INSIDE: &str = "SORTIE_TEST_CONTAINER_LAUNCHER";

/// Runs a job and stays, in the child process; nothing in the test program itself.
#[tokio::test]
async fn the_one_that_is_killed() {
    let Some(dir) = std::env::var_os(INSIDE) else { return };
    let stage = Stage::at(dir);
    let scheduler = stage.scheduler(stage.local());
    scheduler.run(stage.path("candidate.py"), stage.path("results")).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_launcher_killed_with_sigkill_leaves_no_container() {
    for evaluator in [STUBBORN, OBEDIENT] {
        let stage = Stage::new(evaluator);
        let mut launcher = stage.launcher("containers::local::the_one_that_is_killed", INSIDE);
        stage.appears("results/started").await;
        assert_ne!(stage.containers_here(), "");
        launcher.kill().unwrap();
        launcher.wait().unwrap();
        stage.has_no_containers().await;
        // It was told to end first.
        assert_eq!(stage.path("results/told").exists(), evaluator == OBEDIENT);
    }
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_dropped_scheduler_leaves_no_container() {
    let stage = Stage::new(STUBBORN);
    let scheduler = stage.scheduler(stage.local());
    scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    drop(scheduler);
    stage.has_no_containers().await;
}

/// The launcher's runtime ends with it, and so does whatever would clean up in the launcher.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_dropped_runtime_leaves_no_container() {
    let stage = Stage::new(STUBBORN);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let scheduler = stage.scheduler(stage.local());
        scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
        stage.appears("results/started").await;
    });
    drop(runtime);
    tokio::runtime::Runtime::new().unwrap().block_on(stage.has_no_containers());
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn nothing_of_the_launchers_environment_gets_in_but_what_is_named() {
    let mut stage = Stage::new("print(json.dumps(dict(os.environ)))");
    stage.env.push(("API_KEY".into(), "secret".into()));
    stage.env.push(("HF_TOKEN".into(), "asked for".into()));
    let mut config = stage.local();
    config.environment.allow = vec![sortie_config::glob::Pattern::new("HF_*").unwrap()];
    config.environment.set.insert("SEED".into(), "7".into());
    config.numeric_threads_per_job = Some(2);
    let results = stage.run(config).await;
    let log = results.stdout_log.text();
    for entry in [r#""HF_TOKEN": "asked for""#, r#""SEED": "7""#, r#""OMP_NUM_THREADS": "2""#] {
        assert!(log.contains(entry), "{log}");
    }
    assert!(!log.contains("secret") && !log.contains("DOCKER_HOST"), "{log}");
}

/// A variable that is named without a value, and what is in a file of them.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn variables_named_without_a_value_have_the_launchers() {
    let mut stage = Stage::new("print(json.dumps(dict(os.environ)))");
    stage.env.push(("FIRST".into(), "a 'b\" $c".into()));
    stage.env.push(("SECOND".into(), "=2".into()));
    std::fs::write(stage.path("all.env"), "# of the site\nSECOND\nTHIRD=3\n").unwrap();
    let docker_flags = format!("-e FIRST --env-file '{}'", stage.path("all.env").display());
    let results = stage.run(LocalDockerJobConfig { docker_flags, ..stage.local() }).await;
    let log = results.stdout_log.text();
    for entry in [r#""FIRST": "a 'b\" $c""#, r#""SECOND": "=2""#, r#""THIRD": "3""#] {
        assert!(log.contains(&entry.replace("b\"", "b\\\"")), "{log}");
    }
    let docker_flags = "-e SORTIE_NOT_SET".to_owned();
    let config = LocalDockerJobConfig { docker_flags, ..stage.local() };
    let findings = check(&config.into()).await;
    let what = &findings[0].result.as_ref().unwrap_err().what;
    assert!(what.contains("SORTIE_NOT_SET") && what.contains("environment"), "{what}");
}

/// Each would be found out by the first job, and then be the fault of every candidate.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_container_that_cannot_run_an_evaluator_is_found_beforehand() {
    let stage = Stage::new(GOOD);
    let here = |change: LocalDockerJobConfig| LocalDockerJobConfig {
        engine: stage.engine_of_its_own(),
        ..change
    };
    let good = here(stage.local());
    let flags = |flags: &str| LocalDockerJobConfig { docker_flags: flags.into(), ..good.clone() };
    let archive = stage.path("image.tar");
    std::fs::write(&archive, "no archive").unwrap();
    let (image, image_tar_path) = ("localhost/none:1".to_owned(), Some(archive));
    for (config, expected) in [
        (good.clone(), None),
        (flags("--entrypoint /bin/true"), Some("ENTRYPOINT")),
        (flags("--gpus all"), Some("gpu")),
        (LocalDockerJobConfig { user: "1234".into(), ..good.clone() }, Some("Permission denied")),
        (LocalDockerJobConfig { image, image_tar_path, ..good.clone() }, Some("image tar")),
    ] {
        let findings = check(&config.into()).await;
        let container = findings.iter().find(|finding| finding.subject == "container").unwrap();
        match (expected, &container.result) {
            (None, result) => assert!(result.is_ok(), "{result:?}"),
            (Some(expected), Err(problem)) => {
                assert!(problem.what.contains(expected), "{}", problem.what);
            }
            (Some(expected), Ok(found)) => panic!("{expected}: {found}"),
        }
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_cannot_be_cleaned_up() {
    let engine = "/nowhere/docker".to_owned();
    let config = LocalDockerJobConfig { engine, ..LocalDockerJobConfig::default() };
    let error = clean(&config.into()).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/docker"), "{error}");
    assert_eq!(clean(&LocalJobConfig::default().into()).await.unwrap(), [] as [String; 0]);
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn it_is_shown_and_checked_beforehand() {
    let stage = Stage::new(GOOD);
    let config = stage.local().into();
    let shown = preview(&config, stage.path("candidate.py"), stage.path("results")).unwrap();
    let Preview::Script(script) = shown else { panic!("{shown:?}") };
    assert!(script.contains("sortie_container=(--name=sortie-") && !script.contains("#SBATCH"));

    let missing =
        LocalDockerJobConfig { image_tar_path: Some("no such.tar".into()), ..stage.local() };
    let findings = check(&missing.into()).await;
    let finding = |subject| findings.iter().find(|finding| finding.subject == subject).unwrap();
    assert!(finding("image archive").result.as_ref().unwrap_err().what.contains("no such.tar"));
}
