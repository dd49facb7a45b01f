//! The JSON object that `sortie run` prints, member by member.

use sortie_results::{Object, Value};

use crate::stage::{Stage, ran};

/// The object with what differs from run to run taken out.
fn steady(mut results: Object) -> String {
    for (name, value) in &mut results {
        match (name.as_str(), value) {
            ("attempt", value) => *value = Value::String("ATTEMPT".into()),
            ("seconds" | "usage", Value::Object(members)) => {
                members.values_mut().for_each(|value| {
                    assert!(value.as_f64().is_some_and(|number| number >= 0.0), "{value:?}");
                    *value = Value::Null;
                });
            }
            _ => {}
        }
    }
    serde_json::to_string_pretty(&results).unwrap()
}

#[test]
fn of_a_correct_candidate() {
    let evaluator = r#"
        echo "reading $2"
        echo 'é \' >&2
        echo '{"combined_score": 2.5, "worst": NaN, "seed": 123456789012345678901234567890}' > "$4/metrics.json"
        echo '{"correct": true, "error": null}' > "$4/correct.json""#;
    insta::assert_snapshot!(steady(Stage::shell(evaluator, "").run().results()));
}

#[test]
fn of_one_that_crashes() {
    let stage = Stage::shell("echo 'out of luck' >&2; kill -ABRT $$", "");
    insta::assert_snapshot!(steady(stage.run().results()));
}

#[test]
fn of_one_that_was_not_started() {
    let stage = Stage::shell("", "");
    std::fs::remove_file(stage.path("candidate.py")).unwrap();
    insta::assert_snapshot!(steady(stage.run().results()));
}

#[test]
fn read_again_it_is_what_the_limits_of_the_job_allowed() {
    let evaluator = r#"
        echo 'one two three'
        echo '{"combined_score": 2.5, "text": "more than is read"}' > "$4/metrics.json"
        echo '{"correct": true}' > "$4/correct.json""#;
    let run = |max_result_bytes| {
        let limits = format!("{{log_tail_bytes: 6, max_result_bytes: {max_result_bytes}}}");
        let stage = Stage::shell(evaluator, &format!("limits: {limits}\n"));
        let printed = stage.run();
        let again = ran(&mut stage.sortie(["results", "results"]));
        assert_eq!(again.stdout, printed.stdout);
        printed.results()
    };
    assert!(run(1000)["stdout_log"].as_str().unwrap().ends_with("]\nthree\n"));
    assert_eq!(run(20)["metrics"], Value::Object(Box::default()));
}
