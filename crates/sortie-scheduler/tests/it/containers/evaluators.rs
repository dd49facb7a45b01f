//! What an image lacks for an evaluator: `check` and a job say the same.

use std::fs;

use sortie_config::{EvaluatorKind, LocalDockerJobConfig, SlurmDockerJobConfig};
use sortie_results::{Fault, Outcome};
use sortie_scheduler::{Finding, check};

use super::{Stage, variable};

/// Python's head, which is good in the image.
const IMPORTS: &str = "import argparse, json, os, sys\n";
const JUDGES: &str = r#"
dir = sys.argv[sys.argv.index("--results_dir") + 1]
open(f"{dir}/metrics.json", "w").write('{"combined_score": 1.5}')
open(f"{dir}/correct.json", "w").write('{"correct": true}')
"#;
const SHELL_JUDGES: &str = r#"
echo '{"combined_score": 1.5}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

fn finding<'a>(findings: &'a [Finding], subject: &str) -> &'a Finding {
    let found = findings.iter().find(|finding| finding.subject == subject);
    found.unwrap_or_else(|| panic!("{subject}: {findings:?}"))
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn imports_are_tried_in_the_image() {
    let stage = Stage::with_text("");
    let engine = stage.engine_of_its_own();
    let config = LocalDockerJobConfig { engine, ..stage.local() };
    // The launcher's own Python has nothing to do with it.
    fs::write(stage.path("beside.py"), "import json\n").unwrap();
    for (text, said) in [
        (format!("{IMPORTS}import beside\nassert os.getcwd() == '/workspace'\n{JUDGES}"), None),
        (
            format!("{IMPORTS}import no_such_module_anywhere\n{JUDGES}"),
            Some("no_such_module_anywhere"),
        ),
        (format!("{IMPORTS}import numpy\n{JUDGES}"), Some("No module named 'numpy'")),
        (format!("{IMPORTS}def f(:\n{JUDGES}"), Some("SyntaxError")),
    ] {
        fs::write(stage.path("evaluate.py"), text).unwrap();
        let findings = check(&config.clone().into()).await;
        let imports = finding(&findings, "imports");
        let results = stage.run(config.clone()).await;
        match (said, &imports.result) {
            (None, Ok(_)) => assert!(results.correct, "{results:?}"),
            (Some(said), Err(problem)) => {
                assert!(problem.what.contains(said), "{}", problem.what);
                assert!(problem.what.contains(&variable("PYTHON_IMAGE")), "{}", problem.what);
                assert_eq!(results.outcome, Outcome::Exited { code: 1 });
                assert_eq!(results.fault, Some(Fault::Setup));
                let detail = results.detail.unwrap();
                assert!(detail.contains(said), "{detail}");
            }
            (said, found) => panic!("{said:?}: {found:?}"),
        }
        assert!(finding(&findings, "container").result.is_ok(), "{findings:?}");
    }
    assert_eq!(stage.containers_here(), "");
    let pycache = stage.path("__pycache__");
    assert!(!pycache.exists(), "nothing is written");
}

/// With what the job is told: its environment, and no more time than it has.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn imports_are_tried_as_the_job_would_make_them() {
    let stage = Stage::with_text("");
    let mut config = LocalDockerJobConfig { engine: stage.engine_of_its_own(), ..stage.local() };
    fs::write(stage.path("told.py"), "import os\nassert os.environ['SEED'] == '7'\n").unwrap();
    fs::write(stage.path("evaluate.py"), format!("{IMPORTS}import told\n{JUDGES}")).unwrap();
    let findings = check(&config.clone().into()).await;
    let what = &finding(&findings, "imports").result.as_ref().unwrap_err().what;
    assert!(what.contains("KeyError: 'SEED'"), "{what}");
    config.environment.set.insert("SEED".into(), "7".into());
    let findings = check(&config.clone().into()).await;
    assert!(finding(&findings, "imports").result.is_ok(), "{findings:?}");

    fs::write(stage.path("told.py"), "import time\ntime.sleep(1000)\n").unwrap();
    config.time = sortie_config::TimeLimit::from_seconds(4).ok();
    let findings = check(&config.into()).await;
    let what = &finding(&findings, "imports").result.as_ref().unwrap_err().what;
    assert!(what.contains("`import told` takes longer than 4 s"), "{what}");
    assert_eq!(stage.containers_here(), "");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn executables_are_checked_and_run_alike() {
    let stage = Stage::with_text("");
    let config = LocalDockerJobConfig {
        eval_program_path: stage.path("judge"),
        evaluator: EvaluatorKind::Executable,
        image: variable("BUSYBOX_IMAGE"),
        engine: stage.engine_of_its_own(),
        ..stage.local()
    };
    fs::write(stage.path("candidate.py"), "2.5\n").unwrap();
    for (line, misses) in [
        ("#!/bin/sh", None),
        ("#!/bin/env sh", None),
        ("#!/usr/bin/env sh", Some("/usr/bin/env")),
        ("#!/usr/bin/python3", Some("/usr/bin/python3")),
        ("#!/bin/env python3", Some("python3")),
    ] {
        stage.program("judge", &format!("{line}\n{SHELL_JUDGES}"));
        let findings = check(&config.clone().into()).await;
        let container = &finding(&findings, "container").result;
        let results = stage.run(config.clone()).await;
        match misses {
            None => assert!(container.is_ok() && results.correct, "{container:?} {results:?}"),
            Some(program) => {
                let what = &container.as_ref().unwrap_err().what;
                assert!(what.contains(program), "{what}");
                assert_eq!(results.fault, Some(Fault::Setup), "{line}: {results:?}");
            }
        }
    }
    fs::write(stage.path("judge"), crate::compiled::without_loader()).unwrap();
    let findings = check(&config.clone().into()).await;
    let what = &finding(&findings, "container").result.as_ref().unwrap_err().what;
    assert!(what.contains("no-linux"), "{what}");
    let results = stage.run(config.clone()).await;
    assert_eq!(results.fault, Some(Fault::Setup), "{results:?}");

    fs::remove_file(stage.path("judge")).unwrap();
    crate::compiled::judge(&stage.path("judge"));
    let findings = check(&config.clone().into()).await;
    assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
    let results = stage.run(config).await;
    assert!(results.correct, "{results:?}");
    assert_eq!(results.metrics["combined_score"].as_f64(), Some(2.5));
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn executables_run_in_a_container_on_a_node() {
    let stage = Stage::with_text("");
    let config = SlurmDockerJobConfig {
        eval_program_path: stage.path("judge"),
        evaluator: EvaluatorKind::Executable,
        image: variable("BUSYBOX_IMAGE"),
        ..stage.config()
    };
    fs::write(stage.path("candidate.py"), "2.5\n").unwrap();
    for (line, is_there) in
        [("#!/bin/sh", true), ("#!/bin/env python3", false), ("#!/usr/bin/python3", false)]
    {
        stage.program("judge", &format!("{line}\n{SHELL_JUDGES}"));
        let results = stage.run(config.clone()).await;
        let fault = (!is_there).then_some(Fault::Setup);
        assert_eq!((results.correct, results.fault), (is_there, fault), "{line}: {results:?}");
    }
    crate::compiled::judge(&stage.path("judge"));
    let results = stage.run(config).await;
    assert_eq!(results.metrics["combined_score"].as_f64(), Some(2.5), "{results:?}");
}
