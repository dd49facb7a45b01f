//! What a sweep is told that it does not use, or has no use for.

use super::{SCORES, begin, resume, stage};
use crate::stage::ran;

#[test]
fn a_score_that_no_result_has_is_told() {
    let scores = SCORES.replace(
        "{\\\"combined_score\\\": $score}",
        "{\\\"combined_score\\\": $score, \\\"loss\\\": 1, \\\"name\\\": \\\"x\\\"}",
    );
    assert_ne!(scores, SCORES);
    let stage = stage(&scores, "", 3);
    let said = "no ranking: no correct candidate so far has a number `los` among its metrics, which have `combined_score`, `loss` \
                (see --score)\n";
    let misspelt = ran(begin(&stage).args(["--score", "los"]));
    assert_eq!(
        (misspelt.status, misspelt.stderr.matches(said).count()),
        (Some(0), 1),
        "{misspelt:?}"
    );
    std::fs::remove_dir_all(stage.path("out")).unwrap();
    let right = ran(begin(&stage).args(["--score", "loss"]));
    assert!(
        right.stdout.contains("best by loss:") && !right.stderr.contains("no ranking"),
        "{right:?}"
    );
}

#[test]
fn settings_in_variables_are_not_used_when_resumed_and_that_is_told() {
    let stage = stage(SCORES, "", 1);
    let begun = ran(begin(&stage).env("SORTIE_TIME", "5"));
    assert!(!begun.stderr.contains("not used"), "{begun:?}");
    let resumed = ran(resume(&stage)
        .env("SORTIE_TIME", "7")
        .env("SORTIE_CONFIG", "x")
        .env("SORTIE_CPUS", ""));
    assert_eq!(resumed.status, Some(0), "{resumed:?}");
    let said = "not used: SORTIE_CONFIG, SORTIE_TIME: a resumed sweep keeps the settings it began with, in settings.yaml";
    assert!(resumed.stderr.contains(said), "{resumed:?}");
    assert!(stage.read("out/settings.yaml").contains("time: \"00:05:00\""));
}
