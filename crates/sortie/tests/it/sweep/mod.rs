//! Sweeps: many candidates, stopped, killed and resumed.

mod candidates;
mod counts;
mod evaluator;
mod full_disk;
mod killed;
mod open_files;
mod refused;
mod runs;
mod scores;
mod set_up;
mod shims;
mod slurm;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use sortie_results::{Object, Value};

use crate::stage::Stage;

/// The score is what the candidate holds; notes that it has come to its end.
const SCORES: &str = r#"
read -r score < "$2"
echo "said $score"
echo "{\"combined_score\": $score}" > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
echo "${4##*/}" >> runs
"#;

/// A stage with so many candidates in `c/`: `p0.py`, `p1.py` …, each with its number in it.
fn stage(evaluator: &str, settings: &str, candidates: usize) -> Stage {
    let stage = Stage::shell(evaluator, settings);
    for number in 0..candidates {
        stage.write(format!("c/p{number}.py"), format!("{number}\n"));
    }
    stage
}

fn begin(stage: &Stage) -> Command {
    stage.sortie(["sweep", "--config", "job.yaml", "--out", "out", "c"])
}

fn resume(stage: &Stage) -> Command {
    stage.sortie(["sweep", "--resume", "out"])
}

/// The lines of results by id, without what differs between any two runs.
fn results(stage: &Stage) -> BTreeMap<String, Object> {
    let mut results = BTreeMap::new();
    for line in stage.read("out/results.jsonl").lines() {
        let Value::Object(mut members) = Value::parse(line.as_bytes()).unwrap() else {
            panic!("no object: {line}")
        };
        for name in ["submitted_at", "started_at", "ended_at", "seconds", "attempt", "usage"] {
            members.shift_remove(name).unwrap();
        }
        let id = members["id"].as_str().unwrap().to_owned();
        assert_eq!(results.insert(id.clone(), *members), None, "{id} has two lines");
    }
    results
}

/// How often the evaluator has come to its end, by candidate.
fn runs(stage: &Stage) -> BTreeMap<String, usize> {
    let mut runs = BTreeMap::new();
    for id in fs::read_to_string(stage.path("runs")).unwrap_or_default().lines() {
        *runs.entry(id.to_owned()).or_default() += 1;
    }
    runs
}
