//! A generation of candidates, good and bad, judged side by side and ranked.

use std::path::Path;

use sortie_config::JobConfig;
use sortie_results::{Fault, Value};
use sortie_scheduler::Event;

use crate::{Stage, scheduler};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/circle-packing");

/// As `ShinkaEvolve`'s own files say it.
fn settings(stage: &Stage) -> JobConfig {
    let yaml = format!(
        "evaluator: {EXAMPLE}/evaluate.py\n\
         job_config:\n\
         \x20 _target_: shinka.launch.LocalJobConfig\n\
         \x20 eval_program_path: ${{evaluator}}\n\
         \x20 time: '00:00:15'\n\
         \x20 limits: {{grace_seconds: 0.5, max_log_bytes: 1MiB}}\n\
         \x20 environment: {{set: {{SORTIE_TEST_MARK: {}}}}}\n",
        stage.path("").to_str().unwrap().trim_end_matches('/')
    );
    JobConfig::from_yaml(&yaml, "shinka.yaml").unwrap()
}

#[tokio::test]
async fn is_judged_and_ranked() {
    let stage = Stage::new("");
    let scheduler = scheduler(settings(&stage), 3);
    let mut events = scheduler.events();
    let names = [
        "endless",
        "grid",
        "flooding",
        "pushed",
        "not_a_number",
        "hexagonal",
        "aborting",
        "overlapping",
        "filled_grid",
    ];
    let submit = |name: &str| {
        let candidate = Path::new(EXAMPLE).join("candidates").join(name).with_extension("py");
        scheduler.submit(candidate, stage.path(name)).unwrap()
    };
    let jobs = names.map(submit);

    let mut ranked = Vec::new();
    let mut verdicts = Vec::new();
    for (name, job) in names.into_iter().zip(jobs) {
        let finished = scheduler.wait(job).await.unwrap();
        let results = scheduler.results(job).unwrap();
        assert_eq!((finished.attempt, &finished.outcome), (results.attempt, &results.outcome));
        if results.correct {
            let score = results.metrics.get("combined_score").and_then(Value::as_f64).unwrap();
            ranked.push((score, name));
        } else {
            verdicts.push((name, results.fault, results.detail.unwrap_or_default()));
        }
    }
    stage.is_empty();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let ranking: Vec<_> = ranked.iter().map(|(_, name)| *name).collect();
    assert_eq!(ranking, ["pushed", "filled_grid", "hexagonal", "grid"]);
    let candidate = Some(Fault::Candidate);
    let expected = [
        ("endless", candidate, "stopped at its time limit of 15 s"),
        ("flooding", candidate, "stopped because a log grew beyond 1048576 bytes"),
        ("not_a_number", candidate, "metrics.json: `combined_score` must be finite, is NaN"),
        ("aborting", candidate, "killed by SIGABRT; about to crash"),
        ("overlapping", None, "ValueError: circles 0 and 25 overlap"),
    ];
    assert_eq!(verdicts, expected.map(|(name, fault, said)| (name, fault, said.to_owned())));

    drop(scheduler);
    let mut finished = 0;
    while let Some(event) = events.next().await {
        finished += usize::from(matches!(event, Event::Finished { .. }));
    }
    assert_eq!(finished, names.len());
}
