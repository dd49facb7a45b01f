//! Jobs in containers of Apptainer, of which a stand-in is here; see the tests of `sortie-script`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use sortie_config::{
    EvaluatorKind, JobConfig, LocalDockerJobConfig, SlurmDockerJobConfig, TimeLimit,
};
use sortie_results::{Fault, Outcome, Results};
use sortie_scheduler::{Finding, JobScheduler, Preview, SchedulerOptions, check, clean, preview};

use crate::slurm::shims::{RUNS, Shims};
use crate::{GOOD, Stage, eventually};

/// Ends when it is told to.
const OBEDIENT: &str =
    "trap 'echo >\"$4/told\"; exit 0' TERM; echo >\"$4/started\"; sleep 1000 & wait";
/// Does not.
const STUBBORN: &str =
    "trap '' TERM; setsid sleep 1000 & echo >\"$4/started\"; while :; do sleep 1; done";

/// With an engine of its own and an image, in a stage whose evaluator runs as itself.
fn stage(script: &str) -> Stage {
    let stage = Stage::new(&format!("#!/bin/sh\n{script}"));
    let engine = include_str!("../../../sortie-script/tests/it/apptainer/apptainer.sh");
    fs::create_dir_all(stage.path("bin")).unwrap();
    fs::create_dir(stage.path("image")).unwrap();
    for (name, text) in [("bin/apptainer", Some(engine)), ("evaluate.sh", None)] {
        if let Some(text) = text {
            fs::write(stage.path(name), text).unwrap();
        }
        fs::set_permissions(stage.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    stage
}

fn text(stage: &Stage, name: &str) -> String {
    stage.path(name).to_str().unwrap().to_owned()
}

fn local(stage: &Stage) -> LocalDockerJobConfig {
    let mut config = LocalDockerJobConfig {
        eval_program_path: stage.path("evaluate.sh"),
        evaluator: EvaluatorKind::Executable,
        engine: text(stage, "bin/apptainer"),
        image: text(stage, "image"),
        ..LocalDockerJobConfig::default()
    };
    config.limits.grace = Duration::from_secs(1);
    let mark = stage.dir.path().to_str().unwrap().to_owned();
    config.environment.set.insert("SORTIE_TEST_MARK".into(), mark);
    config
}

fn scheduler(config: impl Into<JobConfig>) -> JobScheduler {
    let config = config.into();
    JobScheduler::new(config.job_type(), config, SchedulerOptions::default()).unwrap()
}

async fn run(stage: &Stage, config: impl Into<JobConfig>) -> Results {
    stage.run(&scheduler(config)).await
}

#[tokio::test]
async fn an_evaluator_is_run() {
    let stage = stage(&format!("echo \"$HOME $2\"; {GOOD}"));
    let results = run(&stage, local(&stage)).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 });
    assert_eq!((results.fault, results.correct), (None, true));
    assert!(results.usage.peak_memory_bytes > 0, "it is below the command, and so is measured");
    let candidate = text(&stage, "candidate");
    assert_eq!(results.stdout_log.text(), format!("/tmp {candidate}\n"));
    assert_eq!(fs::read_to_string(stage.path("bin/calls")).unwrap(), "exec\n");
}

/// The status that Apptainer has for whatever goes wrong may be the evaluator's.
#[tokio::test]
async fn whose_fault_it_is() {
    for (script, first, outcome, fault) in [
        ("exit 255", "", Some(255), Fault::Candidate),
        ("echo 'FATAL: no' >&2; exit 255", "", Some(255), Fault::Candidate),
        ("", "echo 'FATAL:   no such mount' >&2; exit 255", None, Fault::Setup),
        ("", "echo 'FATAL:   no space left on device' >&2; exit 255", None, Fault::Infrastructure),
    ] {
        let stage = stage(script);
        fs::write(stage.path("bin/first"), first).unwrap();
        let results = run(&stage, local(&stage)).await;
        match (outcome, &results.outcome) {
            (Some(code), found) => assert_eq!(found, &Outcome::Exited { code }),
            (None, Outcome::SetupFailed { reason, .. }) => {
                let said = first.trim_start_matches("echo 'FATAL:   ").split('\'').next().unwrap();
                assert!(reason.contains(said), "{reason}");
            }
            (None, found) => panic!("{found}"),
        }
        assert_eq!(results.fault, Some(fault), "{script}{first}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_job_that_is_stopped() {
    for (script, kill) in [(OBEDIENT, false), (STUBBORN, false), (OBEDIENT, true), (STUBBORN, true)]
    {
        let stage = stage(script);
        let scheduler = scheduler(local(&stage));
        let job = scheduler.submit(stage.path("candidate"), stage.path("results")).unwrap();
        stage.appears("results/started").await;
        if kill {
            scheduler.kill(&[job]);
        } else {
            scheduler.cancel(&[job]);
        }
        let results = scheduler.wait(job).await.unwrap();
        assert_eq!(results.outcome, Outcome::Cancelled);
        assert_eq!(stage.processes(), [] as [String; 0]);
        assert_eq!(stage.path("results/told").exists(), script == OBEDIENT && !kill);
    }
}

#[tokio::test]
async fn a_time_limit_holds() {
    let stage = stage(STUBBORN);
    let time = TimeLimit::from_seconds(1).ok();
    let results = run(&stage, LocalDockerJobConfig { time, ..local(&stage) }).await;
    assert_eq!(results.outcome, Outcome::TimedOut { limit_seconds: 1.0 });
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing() {
    let stage = stage(STUBBORN);
    let scheduler = scheduler(local(&stage));
    let run = scheduler.run(stage.path("candidate"), stage.path("results"));
    tokio::select! {
        _ = run => panic!("it cannot have ended"),
        () = stage.appears("results/started") => {}
    }
    eventually("the container to go", || stage.processes().is_empty()).await;
}

fn finding<'a>(findings: &'a [Finding], subject: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.subject == subject).unwrap()
}

#[tokio::test]
async fn it_is_checked_beforehand() {
    let stage = stage("exit 3");
    let findings = check(&local(&stage).into()).await;
    let found = |subject| finding(&findings, subject).result.as_ref().unwrap();
    assert_eq!(found("engine"), "apptainer version 1.4.5");
    assert_eq!(found("image"), &text(&stage, "image"));
    assert!(found("container").contains("can be started"), "{}", found("container"));
    // Nothing of these tests may have systemd.
    if !std::path::Path::new("/run/systemd/system").exists() {
        assert!(found("limits").contains("cannot hold pids_limit"), "{}", found("limits"));
    }

    let missing = LocalDockerJobConfig { image: "/no/such.sif".into(), ..local(&stage) };
    let findings = check(&missing.into()).await;
    let problem = finding(&findings, "image").result.as_ref().unwrap_err();
    assert!(problem.what.contains("/no/such.sif") && problem.advice.contains("SIF"), "{problem:?}");

    let (engine, image) = (text(&stage, "bin/apptainer"), "docker-archive:/no/such.tar".into());
    let slurm = SlurmDockerJobConfig { engine, image, ..SlurmDockerJobConfig::default() };
    let findings = check(&slurm.into()).await;
    let problem = finding(&findings, "image").result.as_ref().unwrap_err();
    assert!(problem.what.starts_with("/no/such.tar cannot be read"), "{problem:?}");

    let flags = LocalDockerJobConfig { apptainer_flags: "--bogus=1".into(), ..local(&stage) };
    let findings = check(&flags.into()).await;
    let problem = finding(&findings, "container").result.as_ref().unwrap_err();
    assert!(problem.what.contains("unknown flag: --bogus"), "{problem:?}");

    let env = LocalDockerJobConfig { apptainer_flags: "--env A=1".into(), ..local(&stage) };
    let findings = check(&env.into()).await;
    let problem = finding(&findings, "settings").result.as_ref().unwrap_err();
    assert!(problem.what.contains("`--env=A=1` is refused"), "{problem:?}");

    let nowhere = LocalDockerJobConfig { engine: "/nowhere/apptainer".into(), ..local(&stage) };
    let findings = check(&nowhere.into()).await;
    let problem = finding(&findings, "engine").result.as_ref().unwrap_err();
    assert!(problem.advice.contains("install Apptainer"), "{problem:?}");
}

#[tokio::test]
async fn there_is_nothing_to_clean_up() {
    let stage = stage("");
    assert_eq!(clean(&local(&stage).into()).await.unwrap(), [] as [String; 0]);
    assert!(!stage.path("bin/calls").exists());
}

/// A path means what it means here, on any node.
#[tokio::test]
async fn an_image_is_named_by_its_whole_path() {
    let stage = stage("");
    let here = std::env::current_dir().unwrap();
    for (image, expected) in [
        (
            "images/eval.sif".to_owned(),
            format!("sortie_image={}/images/eval.sif\n", here.display()),
        ),
        (
            "oci-archive:a.tar".to_owned(),
            format!("sortie_image=oci-archive:{}/a.tar\n", here.display()),
        ),
        ("docker://eval:1".to_owned(), "sortie_image=docker://eval:1\n".to_owned()),
    ] {
        let config = LocalDockerJobConfig { image, ..local(&stage) };
        let shown = preview(&config.into(), stage.path("candidate"), stage.path("results"));
        let Preview::Script(script) = shown.unwrap() else { panic!("no script") };
        assert!(script.contains(&expected), "{expected}");
    }
}

fn on_slurm(shims: &Shims, stage: &Stage) -> (SlurmDockerJobConfig, Vec<(OsString, OsString)>) {
    let LocalDockerJobConfig { eval_program_path, evaluator, engine, image, limits, .. } =
        local(stage);
    let config = SlurmDockerJobConfig {
        eval_program_path,
        evaluator,
        engine,
        image,
        limits,
        gpus: 0.into(),
        infrastructure_retries: 0,
        ..SlurmDockerJobConfig::default()
    };
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sortie-slurm/tests/shims");
    let env = crate::slurm::env(&[dir], &[("SHIM_DIR", shims.path("").into_os_string())]);
    (config, env)
}

/// Slurm itself holds the job to its memory and CPUs, what Apptainer runs being among its processes.
#[tokio::test]
async fn a_job_of_slurm() {
    let stage = stage(&format!("echo \"$SLURM_JOB_ID$APPTAINER_BIND$API_KEY\"; {GOOD}"));
    let shims = Shims::new("");
    shims.hook("sbatch", RUNS);
    let (config, mut env) = on_slurm(&shims, &stage);
    env.extend(
        [("API_KEY", "secret"), ("APPTAINER_BIND", "/secret")].map(|(n, v)| (n.into(), v.into())),
    );
    let config = JobConfig::from(config);
    let options = SchedulerOptions { env: Some(env), ..SchedulerOptions::default() };
    let scheduler = JobScheduler::new(config.job_type(), config, options).unwrap();
    let run = scheduler.run(stage.path("candidate"), stage.path("results"));
    let results = run.await.unwrap().0;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    assert!(results.correct);
    assert_eq!(results.stdout_log.text(), "\n");
    let flags = fs::read_to_string(stage.path("bin/flags")).unwrap();
    assert!(!flags.contains("--memory") && !flags.contains("--cpus"), "{flags}");
}

/// Of the real one: those of its processes that are here.
fn of_apptainer() -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap();
    let names =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok());
    names.filter(|name| ["starter\n", "appinit\n"].contains(&name.as_str())).collect()
}

#[tokio::test]
#[ignore = "needs Apptainer: cargo xtask test --apptainer"]
async fn real_apptainer_runs_a_job() {
    let real = |name: &str| std::env::var(name).expect("cargo xtask test --apptainer");
    let stage = stage(&format!("id -u; pwd; {GOOD}"));
    let config = |stage: &Stage| LocalDockerJobConfig {
        engine: real("SORTIE_TEST_APPTAINER"),
        image: format!("docker-archive:{}", real("SORTIE_TEST_APPTAINER_ARCHIVE")),
        image_cache: Some(stage.path("images")),
        network: Some("none".into()),
        ..local(stage)
    };
    let results = run(&stage, config(&stage)).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    assert!(results.correct);
    let user = fs::metadata("/proc/self").unwrap().uid();
    assert_eq!(results.stdout_log.text(), format!("{user}\n/workspace\n"));
    assert_eq!(fs::metadata(stage.path("results/correct.json")).unwrap().uid(), user);

    let findings = check(&config(&stage).into()).await;
    assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");

    fs::write(stage.path("evaluate.sh"), format!("#!/bin/sh\n{STUBBORN}")).unwrap();
    for (number, kill) in [(1, false), (2, true)] {
        let scheduler = scheduler(config(&stage));
        let results = format!("results-{number}");
        let job = scheduler.submit(stage.path("candidate"), stage.path(&results)).unwrap();
        stage.appears(&format!("{results}/started")).await;
        assert_ne!(of_apptainer(), [] as [String; 0]);
        if kill {
            scheduler.kill(&[job]);
        } else {
            scheduler.cancel(&[job]);
        }
        assert_eq!(scheduler.wait(job).await.unwrap().outcome, Outcome::Cancelled);
        assert_eq!(of_apptainer(), [] as [String; 0]);
    }
}
