//! What is printed is what the schemas say.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

use crate::stage::{self, Ran, Stage, ran};

fn validator(stage: &Stage, form: &str) -> Validator {
    let printed = ran(&mut stage.sortie(["schema", form]));
    assert_eq!((printed.status, printed.stderr.as_str()), (Some(0), ""), "{printed:?}");
    jsonschema::draft7::new(&serde_json::from_str(&printed.stdout).unwrap()).unwrap()
}

/// Fails unless it printed lines of that form, of this version; what is missing from one is seen, too.
fn is_of_form(form: &str, stage: &Stage, printed: &Ran) {
    let validator = validator(stage, form);
    assert!(!printed.stdout.is_empty(), "{printed:?}");
    for line in printed.stdout.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{line}");
        assert_eq!(value["version"], 1);
        for name in value.as_object().unwrap().keys().filter(|name| *name != "advice") {
            let mut less = value.clone();
            less.as_object_mut().unwrap().remove(name);
            assert!(
                !validator.is_valid(&less) || form == "check",
                "{name} may be left out of {form}"
            );
        }
    }
}

#[test]
fn of_results_however_they_end() {
    let metrics = r#"echo '{"combined_score": NaN, "seed": 123456789012345678901234567890}' > "$4/metrics.json""#;
    let limits = "limits: {max_log_bytes: 1000}\n";
    for (evaluator, settings) in [
        (stage::CORRECT, ""),
        (metrics, ""),
        ("exit 3", ""),
        ("kill -ABRT $$", ""),
        ("sleep 60", "time: '00:00:01'\n"),
        ("exec yes", limits),
    ] {
        let stage = Stage::shell(evaluator, settings);
        is_of_form("results", &stage, &stage.run());
        is_of_form("results", &stage, &ran(&mut stage.sortie(["results", "results"])));
    }
    let stage = Stage::shell("", "");
    fs::remove_file(stage.path("evaluate.sh")).unwrap();
    is_of_form("results", &stage, &stage.run());
}

#[test]
fn of_jobs_and_their_logs() {
    let stage = Stage::shell("echo a; echo b >&2; exit 3", "");
    assert_eq!(stage.run().status, Some(1));
    is_of_form("status", &stage, &ran(&mut stage.sortie(["status", "--json", "results"])));
    assert!(!validator(&stage, "sweep").is_valid(&stage_status(&stage)));
    is_of_form("logs", &stage, &ran(&mut stage.sortie(["logs", "--json", "results"])));
}

fn stage_status(stage: &Stage) -> Value {
    let status = ran(&mut stage.sortie(["status", "--json", "results"]));
    serde_json::from_str(&status.stdout).unwrap()
}

#[test]
fn of_sweeps() {
    let stage = Stage::shell(stage::CORRECT, "");
    let sweep = ["sweep", "--config", "job.yaml", "--json", "--out", "out", "candidate.py"];
    is_of_form("summary", &stage, &ran(&mut stage.sortie(sweep)));
    is_of_form("sweep", &stage, &ran(&mut stage.sortie(["status", "--json", "out"])));
    is_of_form("line", &stage, &ran(&mut stage.sortie(["results", "out"])));
    // A line of a candidate is its results, and more.
    let line: Value = serde_json::from_str(&stage.read("out/results.jsonl")).unwrap();
    assert!(validator(&stage, "results").is_valid(&line), "{line}");
}

#[test]
fn of_findings() {
    let stage = Stage::shell("", "python_executable: none\n");
    stage.write("job.yaml", "job_type: local\npython_executable: none\n");
    is_of_form("check", &stage, &ran(&mut stage.sortie(["check", "--json", "-c", "job.yaml"])));
}

#[test]
fn of_settings() {
    let stage = Stage::empty();
    let validator = validator(&stage, "settings");
    assert!(validator.is_valid(&serde_json::json!({"job_type": "local", "time": 30})));
    assert!(!validator.is_valid(&serde_json::json!({"job_type": "local", "tmie": 30})));
}
