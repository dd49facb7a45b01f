//! What an evaluator may do with its results dir, here and under Slurm: its results count, or it is the candidate's fault.

use sortie_results::{Fault, ReadLimits, Record, Results, Value, load};

use crate::slurm::shims::{FAILS, RUNS, Shims};
use crate::{GOOD, Stage};

/// Runs the evaluator on this machine and as a job of Slurm: what is recorded, too.
async fn everywhere(script: &str) -> [Results; 2] {
    let here = {
        let stage = Stage::new(script);
        let results = stage.run(&stage.scheduler()).await;
        is_recorded(&stage, &results);
        results
    };
    let in_slurm = {
        let shims = Shims::new(script);
        shims.hook("sbatch", &format!("{RUNS}\necho $id; exit 0"));
        let results = shims.run(shims.config()).await;
        assert_eq!(shims.calls("sbatch").len(), 1, "no other attempt: {results:?}");
        is_recorded(&shims.0, &results);
        results
    };
    [here, in_slurm]
}

fn is_recorded(stage: &Stage, results: &Results) {
    let dir = stage.path("results");
    let record = Record::read(&dir).unwrap();
    assert_eq!((record.attempt, record.fault), (results.attempt, results.fault));
    let loaded = load(&dir, Some(results.attempt), ReadLimits::default()).unwrap().1;
    assert_eq!(loaded.metrics, results.metrics);
}

#[tokio::test]
async fn it_may_empty_replace_or_lock_it() {
    for work in [
        r#"rm -rf "$4"/* "$4"/.[!.]*"#,
        r#"rm -rf "$4"; mkdir "$4""#,
        r#"mv "$4" "$4-old"; mkdir "$4""#,
    ] {
        for results in everywhere(&format!("echo said; {work}\n{GOOD}")).await {
            assert!(results.correct, "{work}: {results:?}");
            assert_eq!(results.stdout_log.text(), "said\n", "{work}");
        }
    }
    for results in everywhere(&format!("{GOOD} chmod 0 \"$4\"/*.json \"$4\"")).await {
        assert!(results.correct, "{results:?}");
    }
}

#[tokio::test]
async fn without_it_the_candidate_has_failed() {
    for work in [
        r#"rm -rf "$4""#,
        r#"rm -rf "$4"; echo > "$4""#,
        r#"mv "$4" "$4-old"; ln -s "$4-old" "$4""#,
        r#"rm "$4/metrics.json""#,
        r#"ln "$4/metrics.json" "$4/other""#,
    ] {
        for results in everywhere(&format!("{GOOD} {work}")).await {
            assert_eq!((results.correct, results.fault), (false, Some(Fault::Candidate)), "{work}");
        }
    }
}

#[tokio::test]
async fn what_it_leaves_running_changes_nothing_any_more() {
    let later = r#"(trap '' TERM; sleep 0.3; echo '{"combined_score": 99}' > "$4/m"; mv "$4/m" "$4/metrics.json"; sleep 60) &"#;
    for results in everywhere(&format!("{GOOD} {later}")).await {
        assert!(results.correct, "{results:?}");
        assert_eq!(results.metrics["combined_score"], Value::Float(1.5));
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_told() {
    let shims = Shims::new(GOOD);
    let later =
        r#"sed -i 's/"version":1/"version":9/' "$SHIM_DIR/../.sortie/results/job_end.json""#;
    shims.hook("sbatch", &format!("{RUNS}\n{later}\necho $id; exit 0"));
    shims.hook("squeue", &FAILS.replace("BOOT_FAIL", "FAILED"));
    let mut config = shims.config();
    config.infrastructure_retries = 0;
    let results = shims.run(config).await;
    assert_eq!(results.fault, Some(Fault::Infrastructure));
    let detail = results.detail.unwrap();
    assert!(
        detail.contains("/job_end.json has version 9, this sortie reads version 1"),
        "{detail}"
    );
}
