//! Sweeps in a process that may have few files open.

use std::process::Command;

use sortie_results::Value;

use crate::stage::{Stage, ran};

/// The same command with other limits of open files, soft and hard.
fn with_limits(stage: &Stage, soft: u64, hard: u64, command: &Command) -> Command {
    let mut limited = stage.command("sh");
    let set = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
    limited.args(["-c", &set, "sh"]).arg(command.get_program()).args(command.get_args());
    limited
}

const NOTES_LIMIT: &str = r#"
ulimit -Sn > "$4/limit"
sleep 0.3
echo '{"combined_score": 1}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

fn sweep(soft: u64, hard: u64, jobs: usize) {
    let stage = super::stage(NOTES_LIMIT, "", jobs);
    let mut begin = super::begin(&stage);
    begin.args(["-j", "200"]);
    let swept = ran(&mut with_limits(&stage, soft, hard, &begin));
    assert_eq!(swept.status, Some(0), "{}", swept.stderr);
    let results = super::results(&stage);
    assert_eq!(results.len(), jobs);
    for (id, result) in results {
        assert_eq!(result["correct"], Value::Bool(true), "{id}: {result:?}");
        assert_eq!(stage.read(&format!("out/{id}/limit")).trim(), soft.to_string());
    }
}

#[test]
fn more_jobs_run_than_the_soft_limit_has_room_for_and_keep_that_limit() {
    sweep(1024, 4096, 300);
}

#[test]
fn where_the_hard_limit_is_low_jobs_wait() {
    sweep(256, 256, 120);
    sweep(48, 64, 12);
}
