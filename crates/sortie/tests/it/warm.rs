//! `sortie run --warm`: what it changes, where it cannot, and where it shows.

use sortie_results::Value;

use crate::stage::{Ran, Stage, ran};

/// Prints whether Python itself was started for it.
const EVALUATOR: &str = r#"
import json, os, sys
out = sys.argv[sys.argv.index("--results_dir") + 1]
for name, value in [("metrics", {"combined_score": 1.5}), ("correct", {"correct": True})]:
    with open(os.path.join(out, name + ".json"), "w") as file:
        json.dump(value, file)
print(open("/proc/self/cmdline").read().split("\0")[1] == "-c")
"#;

fn stage(evaluator: &str, settings: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("job.yaml", format!("job_type: local\n{settings}"));
    stage.write("evaluate.py", evaluator);
    stage.write("candidate.py", "");
    stage
}

fn run(stage: &Stage, flags: &[&str]) -> Ran {
    let args = ["run", "--config", "job.yaml", "candidate.py", "results"];
    ran(&mut stage.sortie(args.iter().chain(flags)))
}

/// How the results say that it was started; the record says the same.
fn start(stage: &Stage, ran: &Ran) -> String {
    let results = ran.results();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let kind = results["start"].get("kind").and_then(Value::as_str).unwrap().to_owned();
    let record = Value::parse(stage.read("results/job.json").as_bytes()).unwrap();
    assert_eq!(record.get("start"), results.get("start"));
    let forked = results["stdout_log"].as_str() == Some("True\n");
    assert_eq!(forked, ["warm", "fresh"].contains(&kind.as_str()), "{ran:?}");
    kind
}

#[test]
fn the_flag_overrides_the_settings() {
    for (settings, flags, expected) in [
        ("", &[][..], "cold"),
        ("warm: false", &["--warm"], "fresh"),
        ("warm: true", &[], "fresh"),
        ("warm: true", &["--warm=false"], "cold"),
        ("", &["--warm=false"], "cold"),
    ] {
        let stage = stage(EVALUATOR, settings);
        let ran = run(&stage, flags);
        assert_eq!(start(&stage, &ran), expected, "{settings} {flags:?}");
        assert_eq!(ran.stderr, "", "{settings} {flags:?}");
        stage.empties();
    }
}

/// What the file says of how evaluators are kept warm holds with the flag too.
#[test]
fn the_flag_leaves_the_mapping_as_it_is() {
    let evaluator = format!("import sys\nassert 'extra' in sys.modules\n{EVALUATOR}");
    let stage = stage(&evaluator, "warm: {preload: [extra]}");
    stage.write("extra.py", "");
    assert_eq!(start(&stage, &run(&stage, &["--warm"])), "fresh");
    assert_ne!(run(&stage, &["--warm=false"]).status, Some(0));
}

#[test]
fn jobs_that_cannot_be_warm_are_refused() {
    for (job_type, further) in [
        ("slurm_conda", ""),
        ("slurm_docker", "image: image:1\n"),
        ("local_docker", "image: i:1\n"),
    ] {
        let stage = stage(EVALUATOR, "");
        stage.write("job.yaml", format!("job_type: {job_type}\n{further}"));
        let said = format!("`--warm` is for jobs of type `local`; these are of type `{job_type}`");
        run(&stage, &["--warm"]).is_error(2, &said);
        assert!(!stage.path("results").exists());
    }
    run(&stage(EVALUATOR, ""), &["--warm=perhaps"]).is_error(2, "invalid value 'perhaps'");
}

#[test]
fn it_is_said_why_a_job_is_cold_all_the_same() {
    let stage = stage(&format!("import keeps\n{EVALUATOR}"), "");
    stage.write("keeps.py", "file = open('keeps.log', 'w')\n");
    let ran = run(&stage, &["--warm", "--verbose"]);
    assert_eq!(start(&stage, &ran), "fallback");
    let reason = ran.results()["start"].get("reason").and_then(Value::as_str).unwrap().to_owned();
    assert!(reason.starts_with("module `keeps` opens "), "{reason}");
    let lines = |word: &str| ran.stderr.lines().filter(|line| line.contains(word)).count();
    assert_eq!((lines("WARN"), lines("start=cold: module `keeps` opens ")), (1, 1), "{ran:?}");
    let quiet = run(&stage, &["--warm"]);
    assert_eq!(quiet.stderr.lines().count(), 1, "{quiet:?}");
}

#[test]
fn the_log_says_how_a_job_started() {
    let stage = stage(EVALUATOR, "");
    for (flag, said) in [("--warm", "start=warm from a new server"), ("--warm=false", "start=cold")]
    {
        let ran = run(&stage, &[flag, "--verbose"]);
        let ended: Vec<_> = ran.stderr.lines().filter(|line| line.contains("ended")).collect();
        assert!(ended.len() == 1 && ended[0].contains(said), "{ran:?}");
    }
}
