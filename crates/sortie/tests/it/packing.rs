//! The example: circles packed into a square by candidates of every quality.

use std::path::Path;

use sortie::exit_status::{CORRECT, NOT_CORRECT};
use sortie_results::Value;

use crate::stage::{Ran, Stage, ran};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/circle-packing");

/// Runs a candidate as the example says, but for the time limit.
fn judge(candidate: &str, time: &str) -> Ran {
    let example = Path::new(EXAMPLE);
    let settings = std::fs::read_to_string(example.join("job.yaml")).unwrap();
    assert!(settings.contains("\"00:00:05\""), "{settings}");
    let stage = Stage::empty();
    let config = stage.write("job.yaml", settings.replace("00:00:05", time));
    let candidate = Path::new("candidates").join(candidate).with_extension("py");
    let mut command = stage.sortie(["run", "--config"]);
    command.arg(config).arg(candidate).arg(stage.path("results")).current_dir(example);
    let ran = ran(&mut command);
    stage.is_empty();
    ran
}

#[test]
fn correct_ones_are_ranked_by_their_score() {
    let score = |candidate: &str| {
        let ran = judge(candidate, "00:01:00");
        assert_eq!(ran.status, Some(CORRECT.into()), "{candidate}: {ran:?}");
        let results = ran.results();
        assert_eq!(results["correct"], Value::Bool(true));
        results["metrics"].get("combined_score").and_then(Value::as_f64).unwrap()
    };
    let candidates = ["grid", "growing", "hexagonal", "filled_grid", "pushed"];
    let scores = candidates.map(score);
    assert!(scores.is_sorted() && scores[0] > 1.0, "{scores:?}");
}

#[test]
fn a_wrong_one_is_judged_not_correct() {
    let ran = judge("overlapping", "00:01:00");
    assert_eq!((ran.status, ran.verdict().1), (Some(NOT_CORRECT.into()), None), "{ran:?}");
    let error = ran.results()["correct_json"].get("error").cloned();
    assert_eq!(error, Some(Value::String("ValueError: circles 0 and 25 overlap".into())));
}

#[test]
fn the_others_are_at_fault() {
    let cases = [
        ("endless", "00:00:02", "timed_out", "stopped at its time limit of 2 s"),
        ("flooding", "00:01:00", "output_limit", "a log grew beyond 4194304 bytes"),
        ("aborting", "00:01:00", "signaled", "killed by SIGABRT"),
        ("not_a_number", "00:01:00", "exited", "`combined_score` must be finite, is NaN"),
    ];
    for (candidate, time, expected, said) in cases {
        let ran = judge(candidate, time);
        assert_eq!(ran.status, Some(NOT_CORRECT.into()), "{candidate}: {ran:?}");
        let (kind, fault, detail) = ran.verdict();
        assert_eq!((kind.as_str(), fault.as_deref()), (expected, Some("candidate")));
        assert!(detail.contains(said), "{candidate}: {detail}");
    }
}
