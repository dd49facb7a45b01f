//! Lines of `results.jsonl`. The bench of the report (`cargo xtask bench report`) has these as well.

use serde_json::{Value, json};

/// So many, one in ten of which failed; the last has the best score.
pub(super) fn many(candidates: u32) -> impl Iterator<Item = Value> {
    (0..candidates).map(|number| {
        if number % 10 == 3 { failed(number) } else { line(number, f64::from(number)) }
    })
}

/// One line of `results.jsonl`, of a correct candidate.
pub(super) fn line(number: u32, score: f64) -> Value {
    let time = |seconds: u32| {
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        format!("2026-01-01T{:02}:{:02}:{seconds:02}Z", minutes / 60 % 24, minutes % 60)
    };
    json!({
        "id": format!("gen-{number:05}"),
        "candidate": format!("runs/gen_{number}/main.py"),
        "correct": true,
        "metrics": {"combined_score": score, "steps": number},
        "correct_json": {"correct": true},
        "stdout_log": "one\ntwo\n",
        "stderr_log": "",
        "outcome": {"kind": "exited", "code": 0},
        "fault": null,
        "detail": null,
        "seconds": {"queued": 1.0, "running": 2.0 + f64::from(number % 7), "total": 10.0},
        "attempt": format!("{number:032x}"),
        "usage": {"cpu_user_seconds": 1.0, "cpu_system_seconds": 0.1, "peak_memory_bytes": 50_000_000 + number},
        "submitted_at": time(number),
        "started_at": time(number + 1),
        "ended_at": time(number + 3 + number % 7),
        "host": format!("node{}", number % 3),
    })
}

/// The same of one that failed.
pub(super) fn failed(number: u32) -> Value {
    let mut line = line(number, 0.0);
    line["correct"] = json!(false);
    line["metrics"] = json!({});
    line["outcome"] = json!({"kind": "signaled", "signal": 11, "name": "SIGSEGV"});
    line["fault"] = json!("candidate");
    line["detail"] = json!("killed by SIGSEGV");
    line["stderr_log"] = json!("Traceback\nValueError: no luck\n");
    line
}
