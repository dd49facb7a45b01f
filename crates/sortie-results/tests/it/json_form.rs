//! The form that `sortie run` prints.

use std::{fs, io::Write as _};

use sortie_results::{AttemptId, Ended, Outcome, ReadLimits, Results, Seconds, Usage};

use crate::{DONE, claim, ended, scratch};

fn pretty(results: &Results) -> String {
    let json = serde_json::to_string_pretty(results).unwrap();
    json.replace(&results.attempt.to_string(), "ATTEMPT")
}

#[test]
fn of_a_good_attempt() {
    let dir = scratch();
    let claim = claim(dir.path());
    let metrics = r#"{"combined_score": 2.5, "worst": NaN, "bounds": [-Infinity, Infinity],
        "seed": 123456789012345678901234567890, "notes": {"z": "é", "a": "\ud800", "n": null}}"#;
    fs::write(dir.path().join("metrics.json"), metrics).unwrap();
    let correct = r#"{"correct": true, "error": null}"#;
    fs::write(dir.path().join("correct.json"), correct).unwrap();
    (&mut claim.stdout()).write_all(b"one\ntwo\n\xff\n").unwrap();
    let seconds = Seconds { queued: 0.25, running: 1.5, total: 1.75 };
    let usage =
        Usage { cpu_user_seconds: 1.25, cpu_system_seconds: 0.5, peak_memory_bytes: 1 << 20 };
    let limits = ReadLimits { log_tail_bytes: 6, ..ReadLimits::default() };
    let results = claim.collect(Ended { seconds, usage, ..super::ended(DONE) }, limits);
    insta::assert_snapshot!(pretty(&results));
}

#[test]
fn of_one_that_was_not_started() {
    let not_started = Outcome::not_started("no python3 on PATH");
    let results = Results::without_dir(AttemptId::generate(), ended(not_started));
    insta::assert_snapshot!(pretty(&results));
}
