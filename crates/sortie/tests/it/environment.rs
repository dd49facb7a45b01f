//! What of the tool's environment reaches the evaluator.

use std::collections::BTreeMap;

use crate::stage::{self, Stage, ran};

/// Runs an evaluator with these settings and two variables: what it has in its environment.
fn environment(settings: &str) -> BTreeMap<String, String> {
    let evaluator = format!("env -0 > \"$4/environment\"\n{}", stage::CORRECT);
    let stage = Stage::shell(&evaluator, settings);
    let variables = [("MY_API_KEY", "hunter2"), ("PLAIN", "a b\nc")];
    let ran = ran(stage.run_command().envs(variables));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let environment = stage.read("results/environment");
    let pairs = environment.split('\0').filter_map(|entry| entry.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn all_by_default_and_what_the_evaluator_is_told() {
    let environment = environment("");
    let expected = [
        ("MY_API_KEY", "hunter2"),
        ("PLAIN", "a b\nc"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONIOENCODING", "utf-8"),
        ("SHINKA_EVAL_VERBOSE", "1"),
    ];
    for (name, value) in expected {
        assert_eq!(environment.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(
        !environment.contains_key("OMP_NUM_THREADS")
            || std::env::var_os("OMP_NUM_THREADS").is_some()
    );
}

#[test]
fn a_denied_secret_is_with_neither_the_job_nor_its_helper() {
    let evaluator = format!(
        "cat /proc/$$/environ /proc/$PPID/environ /proc/$PPID/cmdline 2>/dev/null; {}",
        stage::CORRECT
    );
    let stage = Stage::shell(&evaluator, "environment: {deny: ['*_API_KEY']}\n");
    let ran = ran(stage.run_command().env("MY_API_KEY", "hunter2").env("PLAIN", "seen"));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("PLAIN=seen") && !ran.stdout.contains("hunter2"), "{ran:?}");
    assert!(!stage.read("results/job.json").contains("hunter2"));
}

#[test]
fn only_what_is_allowed_and_what_is_set() {
    let environment =
        environment("environment: {allow: [PATH, PLAIN], set: {EXTRA: x, PYTHONUNBUFFERED: ''}}\n");
    let names: Vec<_> =
        environment.keys().map(String::as_str).filter(|name| *name != "PWD").collect();
    let expected =
        ["EXTRA", "PATH", "PLAIN", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "SHINKA_EVAL_VERBOSE"];
    assert_eq!(
        names.into_iter().filter(|name| *name != "_" && *name != "SHLVL").collect::<Vec<_>>(),
        expected
    );
    assert_eq!(environment["PYTHONUNBUFFERED"], "");
}

#[test]
fn numeric_libraries_are_capped() {
    let environment = environment("numeric_threads_per_job: 3\neval_verbose: false\n");
    let capped = [
        "OMP_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMEXPR_MAX_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "BLIS_NUM_THREADS",
        "GOTO_NUM_THREADS",
    ];
    for name in capped {
        assert_eq!(environment[name], "3", "{name}");
    }
    assert_eq!(
        (&*environment["OMP_DYNAMIC"], &*environment["OMP_WAIT_POLICY"]),
        ("FALSE", "PASSIVE")
    );
    assert_eq!(
        (&*environment["MKL_DYNAMIC"], &*environment["SHINKA_EVAL_VERBOSE"]),
        ("FALSE", "0")
    );
}
