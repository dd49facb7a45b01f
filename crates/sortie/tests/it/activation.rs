//! Evaluators in sourced and Conda environments.

use std::fs;
use std::os::unix::fs::symlink;

use sortie::exit_status::SETUP;
use sortie_results::Value;

use crate::stage::{Stage, ran};

/// An evaluator in Python that reports what it runs in.
const EVALUATOR: &str = r#"
import json, os, sys
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
names = ["VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", "FROM_STATE", "FROM_HOOK"]
metrics = {"executable": sys.executable, "first": os.environ["PATH"].split(":")[0]}
metrics.update((name, os.environ.get(name)) for name in names)
json.dump(metrics, open(os.path.join(args["--results_dir"], "metrics.json"), "w"))
json.dump({"correct": True}, open(os.path.join(args["--results_dir"], "correct.json"), "w"))
"#;

/// A stage with that evaluator and these settings beside it.
fn stage(settings: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("job.yaml", format!("job_type: local\n{settings}"));
    stage.write("evaluate.py", EVALUATOR);
    stage.write("candidate.py", "");
    stage
}

/// What the evaluator reported, a member each.
fn reported(stage: &Stage, name: &str) -> Option<String> {
    let metrics = Value::parse(stage.read("results/metrics.json").as_bytes()).unwrap();
    metrics.get(name).unwrap_or_else(|| panic!("no {name}")).as_str().map(str::to_owned)
}

/// The interpreter behind whatever `python3` on PATH is.
fn python(stage: &Stage) -> String {
    let which = "import sys; print(sys.executable)";
    ran(stage.command("python3").args(["-c", which])).stdout.trim().to_owned()
}

#[test]
fn a_virtual_environment_is_sourced() {
    let stage = stage("activate_script: my venv/bin/activate\n");
    let made = ran(stage.command("python3").args(["-m", "venv", "--without-pip", "my venv"]));
    assert_eq!(made.status, Some(0), "{made:?}");
    let run = stage.run();
    assert_eq!(run.status, Some(0), "{run:?}");
    let venv = stage.path("my venv").to_str().map(str::to_owned);
    assert_eq!(reported(&stage, "VIRTUAL_ENV"), venv);
    let executable = reported(&stage, "executable").unwrap();
    assert!(executable.starts_with(&venv.unwrap()), "{executable}");
}

#[test]
fn a_script_that_fails_stops_the_job_there() {
    let cases = [
        (
            "echo no licence for you >&2\nfalse",
            "exit code 1 at ./activate: line 2: `false`: no licence for you",
            "no licence for you",
        ),
        ("echo about to leave; exit 7", "exit code 7", "about to leave"),
        ("if then", "exit code 2: ./activate: line 1: syntax error", "syntax error"),
    ];
    for (script, how, said) in cases {
        let stage = stage("activate_script: activate\n");
        stage.write("activate", script);
        let run = stage.run();
        assert_eq!(run.status, Some(SETUP.into()), "{run:?}");
        let (kind, fault, detail) = run.verdict();
        assert_eq!((kind.as_str(), fault.as_deref()), ("setup_failed", Some("setup")));
        assert!(
            detail.contains("activating activate ended with") && detail.contains(how),
            "{detail}"
        );
        assert!(run.stdout.contains(said), "{run:?}");
        assert!(!stage.path("results/metrics.json").exists());
        run.says_error("set-up failed: ");
    }
}

/// The evaluator of another project, where people's scripts go before they activate it.
const DECOY: &str = r#"
import json, os, sys
results = dict(zip(sys.argv[1::2], sys.argv[2::2]))["--results_dir"]
os.makedirs(results, exist_ok=True)
json.dump({"executable": "decoy"}, open(os.path.join(results, "metrics.json"), "w"))
json.dump({"correct": True}, open(os.path.join(results, "correct.json"), "w"))
"#;

#[test]
fn relative_paths_are_not_of_where_an_activation_goes() {
    for warm in ["", "warm: true\n"] {
        for (activation, login) in [
            ("activate_script: activate\n", ""),
            ("activate_script: activate\n", "cd other\n"),
            ("conda_env: ./envs/my env\n", ""),
        ] {
            let stage = stage(&format!("{activation}{warm}"));
            stage.write("other/evaluate.py", DECOY);
            stage.write("other/candidate.py", "");
            stage.write("other/activate", "exit 1");
            stage.write(".bash_profile", login);
            let made = ran(stage.command("python3").args(["-m", "venv", "--without-pip", "venv"]));
            assert_eq!(made.status, Some(0), "{made:?}");
            stage.write("activate", "cd other\nsource ../venv/bin/activate\n");
            conda_environment(&stage, "cd other\n");
            for command in ["check", "run"] {
                let mut run = match command {
                    "check" => stage.sortie(["check", "--config", "job.yaml"]),
                    _ => stage.run_command(),
                };
                let ran = ran(run.env("HOME", stage.path("")));
                assert_eq!(ran.status, Some(0), "{activation}{warm}{login}{command}: {ran:?}");
            }
            assert_ne!(reported(&stage, "executable").as_deref(), Some("decoy"));
            assert!(!stage.path("other/results").exists(), "{activation}{warm}{login}");
        }
    }
}

/// An environment as conda makes them, with a hook and variables of its own.
fn conda_environment(stage: &Stage, hook: &str) {
    fs::create_dir_all(stage.path("envs/my env/bin")).unwrap();
    symlink(python(stage), stage.path("envs/my env/bin/python")).unwrap();
    stage.write("envs/my env/conda-meta/history", "");
    let variables = r#"{"env_vars": {"FROM_STATE": "$(id) it's a state"}}"#;
    stage.write("envs/my env/conda-meta/state", variables);
    stage.write("envs/my env/etc/conda/activate.d/hook.sh", hook);
}

#[test]
fn a_conda_environment_is_activated_without_conda() {
    for (name, hook) in
        [("my env", "export FROM_HOOK=\"$FROM_STATE hooked\"\n"), ("./envs/my env", "")]
    {
        let stage = stage(&format!("conda_env: {name}\n"));
        conda_environment(&stage, hook);
        if hook.is_empty() {
            fs::remove_file(stage.path("envs/my env/etc/conda/activate.d/hook.sh")).unwrap();
        }
        let no_conda = [("CONDA_ENVS_PATH", stage.path("envs")), ("HOME", stage.path(""))];
        let run = ran(stage.run_command().envs(no_conda).env_remove("CONDA_SHLVL"));
        assert_eq!(run.status, Some(0), "{name}: {run:?}");
        let prefix = stage.path("envs/my env");
        let text = |path: &std::path::Path| path.to_str().map(str::to_owned);
        assert_eq!(reported(&stage, "CONDA_PREFIX"), text(&prefix));
        assert_eq!(reported(&stage, "first"), text(&prefix.join("bin")));
        assert_eq!(reported(&stage, "CONDA_SHLVL").as_deref(), Some("1"));
        assert_eq!(reported(&stage, "FROM_STATE").as_deref(), Some("$(id) it's a state"));
        let hooked = (!hook.is_empty()).then_some("$(id) it's a state hooked");
        assert_eq!(reported(&stage, "FROM_HOOK").as_deref(), hooked);
    }
}

#[test]
fn a_hook_that_leaves_stops_the_job_there() {
    let stage = stage("conda_env: ./envs/my env\n");
    conda_environment(&stage, "echo no such compiler >&2; exit 4\n");
    let run = stage.run();
    assert_eq!(run.status, Some(SETUP.into()), "{run:?}");
    assert_eq!(run.verdict().0, "setup_failed");
    assert!(run.stdout.contains("no such compiler"), "{run:?}");
}

#[test]
fn an_unknown_conda_environment_says_where_it_was_looked_for() {
    let stage = stage("conda_env: none\n");
    let run = ran(stage.run_command().env("CONDA_ENVS_PATH", stage.path("envs")));
    assert_eq!(run.status, Some(SETUP.into()), "{run:?}");
    assert_eq!(run.verdict().0, "not_started");
    run.says_error(stage.path("envs").to_str().unwrap());
}
