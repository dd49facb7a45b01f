//! Evaluators kept warm.

use std::fmt;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sortie_config::{JobType, LocalJobConfig, Warm};
use sortie_results::{Outcome, Record, Results};
use sortie_scheduler::{Event, JobScheduler, SchedulerOptions, Start, check};

use crate::{Stage, scheduler_with, write};

/// An evaluator in Python that tells of its environment.
const EVALUATOR: &str = r#"
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--program_path")
parser.add_argument("--results_dir")
options = parser.parse_args()
print(os.environ.get("FROM_SCRIPT"), os.environ.get("CONDA_PREFIX"), flush=True)
for name, value in [("metrics", {"combined_score": 2.5}), ("correct", {"correct": True})]:
    with open(os.path.join(options.results_dir, name + ".json"), "w") as file:
        json.dump(value, file)
"#;

/// The interpreter itself, where `python3` is a script that finds it.
fn python() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    let output = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}

fn config(stage: &Stage, evaluator: &str) -> LocalJobConfig {
    write(&stage.path("evaluate.py"), evaluator);
    LocalJobConfig {
        eval_program_path: stage.path("evaluate.py"),
        python_executable: Some(python()),
        warm: Some(Warm::default()),
        ..stage.config()
    }
}

/// Runs a job: its results, and how it was started, as its event tells.
async fn run(stage: &Stage, scheduler: &JobScheduler) -> (Results, Start) {
    let mut events = scheduler.events();
    let run = scheduler.run(stage.path("candidate"), stage.path("results"));
    let results = run.await.unwrap().0;
    loop {
        if let Event::Finished { finished, .. } = events.next().await.unwrap() {
            return (results, finished.start.clone().unwrap());
        }
    }
}

/// How many servers there are, while no job runs: by their command line, as only root sees the environment of one.
fn servers(stage: &Stage) -> usize {
    let evaluator = stage.path("evaluate.py").display().to_string();
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let cmdlines = entries.filter_map(|entry| fs::read(entry.join("cmdline")).ok());
    cmdlines.filter(|line| String::from_utf8_lossy(line).contains(&evaluator)).count()
}

#[tokio::test]
async fn jobs_are_warm_after_the_first() {
    let stage = Stage::new("");
    let scheduler = scheduler_with(config(&stage, EVALUATOR), 1);
    for expected in [Start::Fresh, Start::Warm, Start::Warm] {
        let (results, start) = run(&stage, &scheduler).await;
        assert!(results.correct, "{results:?}");
        assert_eq!((start, results.metrics["combined_score"].as_f64()), (expected, Some(2.5)));
        assert!(results.usage.peak_memory_bytes > 1_000_000, "{results:?}");
    }
    assert_eq!(servers(&stage), 1);
    drop(scheduler);
    crate::eventually("the server to end", || servers(&stage) == 0).await;
}

#[tokio::test]
async fn jobs_are_cold_by_default() {
    let stage = Stage::new("");
    let cold = LocalJobConfig { warm: None, ..config(&stage, EVALUATOR) };
    let (results, start) = run(&stage, &scheduler_with(cold, 1)).await;
    assert_eq!((results.correct, start), (true, Start::Cold));
}

#[tokio::test]
async fn environments_are_activated_for_the_server() {
    let stage = Stage::new("");
    let prefix = stage.path("envs/eval");
    fs::create_dir_all(prefix.join("bin")).unwrap();
    symlink(python(), prefix.join("bin/python")).unwrap();
    write(&prefix.join("conda-meta/history"), "");
    let script = format!(
        "echo activating\nexport FROM_SCRIPT=\"it's\" PATH='{}':\"$PATH\"\n",
        prefix.join("bin").display()
    );
    write(&stage.path("activate.sh"), &script);
    let base = LocalJobConfig { python_executable: None, ..config(&stage, EVALUATOR) };
    let sourced =
        LocalJobConfig { activate_script: Some(stage.path("activate.sh")), ..base.clone() };
    let conda = LocalJobConfig { conda_env: prefix.to_str().map(Into::into), ..base };
    let hooks = prefix.join("etc/conda/activate.d/hook.sh");
    for (config, hook, out) in [
        (sourced, None, "activating\nit's None\n".to_owned()),
        (conda.clone(), None, format!("None {}\n", prefix.display())),
        (conda, Some("export FROM_SCRIPT=hook\n"), format!("hook {}\n", prefix.display())),
    ] {
        hook.inspect(|text| write(&hooks, text));
        let cold = scheduler_with(LocalJobConfig { warm: None, ..config.clone() }, 1);
        let cold = run(&stage, &cold).await.0;
        assert_eq!(cold.stdout_log.text(), out, "{}", cold.stderr_log.text());
        let scheduler = scheduler_with(config, 1);
        for expected in [Start::Fresh, Start::Warm] {
            let (results, start) = run(&stage, &scheduler).await;
            assert_eq!((start, results.stdout_log.text()), (expected, out.clone()));
            assert!(results.correct, "{results:?}");
        }
    }
}

#[tokio::test]
async fn an_environment_that_fails_is_told_of_as_ever() {
    let stage = Stage::new("");
    write(&stage.path("activate.sh"), "echo 'no licence' >&2\nfalse\n");
    let config = LocalJobConfig {
        activate_script: Some(stage.path("activate.sh")),
        python_executable: None,
        ..config(&stage, EVALUATOR)
    };
    let (results, start) = run(&stage, &scheduler_with(config, 1)).await;
    assert!(matches!(results.outcome, Outcome::SetupFailed { .. }), "{results:?}");
    assert!(matches!(start, Start::Fallback { .. }), "{start:?}");
}

#[tokio::test]
async fn a_module_that_cannot_be_forked_gives_one_warning() {
    let stage = Stage::new("");
    let threads =
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n";
    write(&stage.path("spinner.py"), threads);
    let config = config(&stage, &format!("import spinner\n{EVALUATOR}"));
    let told = Told::default();
    let _guard = tracing::subscriber::set_default(told.clone());
    let scheduler = scheduler_with(config.clone(), 1);
    for _ in 0..3 {
        let (results, start) = run(&stage, &scheduler).await;
        assert!(results.correct && matches!(start, Start::Fallback { .. }), "{start:?}");
    }
    let warnings = told.0.lock().unwrap().clone();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("module `spinner` starts threads"), "{warnings:?}");

    let findings = check(&config.into()).await;
    let warm = findings.iter().find(|finding| finding.subject == "warm").unwrap();
    let problem = warm.result.as_ref().unwrap_err();
    assert!(problem.what.starts_with("module `spinner` starts threads"), "{problem:?}");
}

#[tokio::test]
async fn check_says_that_evaluators_can_be_kept_warm() {
    let stage = Stage::new("");
    let config = config(&stage, &format!("print('noise')\nimport json\n{EVALUATOR}"));
    for (config, expected) in
        [(config.clone(), true), (LocalJobConfig { warm: None, ..config }, false)]
    {
        let findings = check(&config.into()).await;
        let warm: Vec<_> = findings.iter().filter(|finding| finding.subject == "warm").collect();
        assert_eq!(warm.len(), usize::from(expected));
        assert!(warm.iter().all(|finding| finding.result.is_ok()), "{warm:?}");
    }
}

#[tokio::test]
async fn no_more_servers_than_set() {
    let stage = Stage::new("");
    let mut config = config(&stage, &format!("{EVALUATOR}\nimport time\ntime.sleep(0.5)\n"));
    config.warm = Some(Warm { servers: Some(1), ..Warm::default() });
    let scheduler = scheduler_with(config, 2);
    let jobs = ["a", "b"].map(|dir| scheduler.submit(stage.path("candidate"), stage.path(dir)));
    let mut starts = Vec::new();
    for job in jobs {
        starts.push(scheduler.wait(job.unwrap()).await.unwrap().start.clone().unwrap());
    }
    starts.sort_by_key(|start| *start == Start::Cold);
    assert_eq!(starts, [Start::Fresh, Start::Cold]);
}

/// Ends as the candidate's first line says.
const ENDINGS: &str = r#"
import json, os, signal, subprocess, sys, time
value = lambda name: sys.argv[sys.argv.index(name) + 1]
with open(value("--program_path")) as file:
    how = file.readline()
with open(os.path.join(value("--results_dir"), "metrics.json"), "w") as file:
    file.write("{" if how == "cut short" else '{"combined_score": 1.0}')
if how != "says nothing":
    with open(os.path.join(value("--results_dir"), "correct.json"), "w") as file:
        file.write('{"correct": true}')
subprocess.Popen(["sleep", "600"], start_new_session=True)
if how == "exits":
    sys.exit("some text")
if how == "raises":
    raise ValueError("wrong")
if how == "crashes":
    os.kill(os.getpid(), signal.SIGSEGV)
if how == "prints":
    while True:
        print("x" * 1000)
if how == "waits":
    time.sleep(600)
"#;

/// What a job's end is taken for, and what is left of it, is the same cold and warm.
#[tokio::test]
async fn outcomes_are_those_of_cold_jobs() {
    let stage = Stage::new("");
    let mut warm = config(&stage, ENDINGS);
    warm.time = Some("00:00:01".parse().unwrap());
    warm.limits.max_log_bytes = 100_000;
    let cold = scheduler_with(LocalJobConfig { warm: None, ..warm.clone() }, 1);
    let warm = scheduler_with(warm, 1);
    let mut kinds = Vec::new();
    for how in ["", "cut short", "says nothing", "exits", "raises", "crashes", "prints", "waits"] {
        write(&stage.path("candidate"), how);
        let expected = run(&stage, &cold).await.0;
        let (found, start) = run(&stage, &warm).await;
        assert!(matches!(start, Start::Fresh | Start::Warm), "{how}: {start:?}");
        let told = |results: &Results| {
            let Results { outcome, fault, detail, correct, stdout_log, stderr_log, .. } = results;
            let logs = (stdout_log.text(), stderr_log.text());
            (outcome.clone(), *fault, detail.clone(), *correct, logs)
        };
        assert_eq!(told(&found), told(&expected), "{how}");
        if !["prints", "waits"].contains(&how) {
            assert_eq!(Record::read(&stage.path("results")).unwrap().stragglers, 1, "{how}");
        }
        kinds.push(found.outcome);
    }
    kinds.dedup();
    assert!(kinds.len() >= 5, "{kinds:?}");
    assert_eq!(servers(&stage), 1);
}

/// Not even where they share their helper processes and are equal.
#[tokio::test]
async fn schedulers_never_share_a_server() {
    let stage = Stage::new("");
    let config = config(&stage, EVALUATOR);
    let options = SchedulerOptions { max_workers: 1, ..SchedulerOptions::default() };
    let scheduler = || JobScheduler::new(JobType::Local, config.clone(), options.clone()).unwrap();
    let schedulers = [scheduler(), scheduler()];
    for expected in [Start::Fresh, Start::Warm] {
        for scheduler in &schedulers {
            assert_eq!(run(&stage, scheduler).await.1, expected);
        }
    }
    assert_eq!(servers(&stage), 2);
    let [first, second] = schedulers;
    drop(first);
    crate::eventually("its server to end", || servers(&stage) == 1).await;
    assert_eq!(run(&stage, &second).await.1, Start::Warm);
    drop(second);
    crate::eventually("its server to end", || servers(&stage) == 0).await;
}

/// The warnings traced.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut |_: &tracing::field::Field, value: &dyn fmt::Debug| {
            self.0.lock().unwrap().push(format!("{value:?}"));
        });
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
