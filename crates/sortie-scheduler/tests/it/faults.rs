//! How attempts go wrong, and whose fault that is.

use std::fs;
use std::time::Duration;

use sortie_config::LocalJobConfig;
use sortie_results::{Fault, Outcome, Record, Results};

use crate::{GOOD, Stage, run_program, scheduler_with};

async fn results_of(script: &str) -> Results {
    let stage = Stage::new(script);
    let results = stage.run(&stage.scheduler()).await;
    assert!(!results.correct);
    let record = Record::read(&stage.path("results")).unwrap();
    assert_eq!((&record.outcome, record.fault), (&results.outcome, results.fault));
    results
}

#[tokio::test]
async fn the_candidates() {
    let cases = [
        ("exit 3".to_owned(), Outcome::Exited { code: 3 }, "exit code 3"),
        (format!("{GOOD} exit 1"), Outcome::Exited { code: 1 }, "exit code 1"),
        ("kill -SEGV $$".to_owned(), Outcome::signaled(11), "killed by SIGSEGV"),
        ("kill -KILL $$".to_owned(), Outcome::signaled(9), "killed by SIGKILL"),
        (
            "exit 0".to_owned(),
            Outcome::Exited { code: 0 },
            "correct.json is missing; metrics.json is missing",
        ),
        (
            format!(r#"{GOOD} echo '{{"correct": tr' > "$4/correct.json""#),
            Outcome::Exited { code: 0 },
            "correct.json: line 1 column 13: expected a value",
        ),
        (
            format!(r#"{GOOD} echo '{{"combined_score": NaN}}' > "$4/metrics.json""#),
            Outcome::Exited { code: 0 },
            "metrics.json: `combined_score` must be finite, is NaN",
        ),
        (
            format!(r#"{GOOD} rm "$4/metrics.json"; mkfifo "$4/metrics.json""#),
            Outcome::Exited { code: 0 },
            "metrics.json is a FIFO, not a regular file",
        ),
        (
            format!(r#"{GOOD} rm "$4/correct.json"; ln -s /etc/passwd "$4/correct.json""#),
            Outcome::Exited { code: 0 },
            "correct.json is a symbolic link, not a regular file",
        ),
    ];
    for (script, outcome, detail) in cases {
        let results = results_of(&script).await;
        assert_eq!((results.outcome, results.fault), (outcome, Some(Fault::Candidate)), "{script}");
        assert_eq!(results.detail.as_deref(), Some(detail), "{script}");
    }
}

#[tokio::test]
async fn the_candidates_by_running_into_a_limit() {
    let stage = Stage::new("trap '' TERM; setsid sleep 600 & sleep 600; sleep 600");
    let mut config = stage.config();
    config.time = Some("00:00:01".parse().unwrap());
    config.limits.grace = Duration::from_millis(100);
    let results = stage.run(&scheduler_with(config, 1)).await;
    assert_eq!(results.outcome, Outcome::TimedOut { limit_seconds: 1.0 });
    assert_eq!(results.fault, Some(Fault::Candidate));

    let stage = Stage::new("yes > /dev/stderr");
    let mut config = stage.config();
    (config.limits.max_log_bytes, config.limits.log_tail_bytes) = (1 << 20, 100);
    let results = stage.run(&scheduler_with(config, 1)).await;
    assert_eq!(results.outcome, Outcome::OutputLimit { limit_bytes: 1 << 20 });
    assert_eq!(results.fault, Some(Fault::Candidate));
    assert_eq!(fs::metadata(stage.path("results/job_log.err")).unwrap().len(), 1 << 20);
    let text = results.stderr_log.text();
    assert!(text.starts_with("[sortie: ") && text.len() < 200, "{text}");
}

#[tokio::test]
async fn nobodys_where_the_evaluator_says_no() {
    let results = results_of(
        r#"echo '{}' > "$4/metrics.json"; echo '{"correct": false, "why": "overlap"}' > "$4/correct.json""#,
    )
    .await;
    assert_eq!((results.outcome, results.fault), (Outcome::Exited { code: 0 }, None));
    let correct_json = results.correct_json.as_object().unwrap();
    assert_eq!(correct_json["why"].as_str(), Some("overlap"));
}

async fn not_started(stage: &Stage, config: LocalJobConfig) -> (String, Fault) {
    let results = stage.run(&scheduler_with(config, 1)).await;
    let Outcome::NotStarted { reason, fault } = results.outcome else { panic!("{results:?}") };
    assert_eq!(results.fault, Some(fault));
    (reason, fault)
}

type Change = fn(&mut LocalJobConfig);

#[tokio::test]
async fn the_users_where_something_is_not_there() {
    let stage = Stage::new(GOOD);
    let cases: [(Change, &str); 4] = [
        (
            |config| config.eval_program_path = "no/such/evaluate.py".into(),
            "the evaluator no/such/evaluate.py cannot be read: No such file",
        ),
        (
            |config| config.python_executable = Some("/no/such/python".into()),
            "the interpreter /no/such/python does not exist",
        ),
        (
            |config| config.python_executable = Some("/etc/passwd".into()),
            "the interpreter /etc/passwd is not executable",
        ),
        (
            |config| {
                config.python_executable = None;
                config.environment.set.insert("PATH".into(), "/no/such/dir".into());
            },
            "no Python: neither `python3` nor `python` is on PATH, which is /no/such/dir",
        ),
    ];
    for (change, expected) in cases {
        let mut config = stage.config();
        change(&mut config);
        let (reason, fault) = not_started(&stage, config).await;
        assert!(reason.starts_with(expected), "{reason}");
        assert_eq!(fault, Fault::Setup);
    }
    fs::remove_file(stage.path("candidate")).unwrap();
    let (reason, fault) = not_started(&stage, stage.config()).await;
    assert!(reason.starts_with("the candidate ") && fault == Fault::Setup, "{reason}");
}

#[tokio::test]
async fn the_users_where_the_evaluator_is_taken_away_midway() {
    let stage = Stage::new("rm \"$0\"; exit 2");
    let (reason, fault) = not_started(&stage, stage.config()).await;
    assert!(reason.contains("was removed meanwhile (exit code 2)"), "{reason}");
    assert_eq!(fault, Fault::Setup);
}

#[tokio::test]
async fn the_users_where_the_results_dir_cannot_be_had() {
    let stage = Stage::new(GOOD);
    fs::write(stage.path("file"), "").unwrap();
    for dir in ["file".to_owned(), "file/results".to_owned(), "x".repeat(300)] {
        let run = stage.scheduler().run(stage.path("candidate"), stage.path(&dir)).await;
        let (results, _) = run.unwrap();
        assert!(matches!(results.outcome, Outcome::NotStarted { .. }), "{results:?}");
        assert_eq!(results.fault, Some(Fault::Setup));
    }
    let (results, _) =
        stage.scheduler().run(stage.path("candidate"), "/proc/results").await.unwrap();
    assert!(matches!(results.outcome, Outcome::NotStarted { .. }), "{results:?}");
}

#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn the_infrastructures_where_the_disk_is_full() {
    let stage = Stage::new(&format!(r#"cat /dev/zero > "$4/filler" 2>/dev/null; {GOOD}"#));
    let disk = stage.path("disk");
    fs::create_dir(&disk).unwrap();
    let disk = disk.to_str().unwrap();
    run_program("mount", &["-t", "tmpfs", "-o", "size=256k", "sortie-test", disk]);
    let run = stage.scheduler().run(stage.path("candidate"), stage.path("disk/results")).await;
    run_program("umount", &["--lazy", disk]);
    let (results, _) = run.unwrap();
    assert_eq!(results.fault, Some(Fault::Infrastructure), "{:?}", results.detail);
    assert!(results.detail.unwrap().starts_with("no space left on "));
}

/// In a process of its own, as the limit is one of the whole process.
#[test]
fn the_infrastructures_where_no_more_files_may_be_open() {
    const INSIDE: &str = "SORTIE_TEST_FEW_FILES";
    if std::env::var_os(INSIDE).is_none() {
        let program = std::env::current_exe().unwrap();
        let name = "faults::the_infrastructures_where_no_more_files_may_be_open";
        let command = format!(
            "{INSIDE}=1 prlimit --nofile=200 {} --exact {name} --nocapture",
            program.display()
        );
        return run_program("sh", &["-c", &command]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = Stage::new(GOOD);
        let scheduler = stage.scheduler();
        assert!(stage.run(&scheduler).await.correct);
        let mut held = Vec::new();
        while let Ok(file) = fs::File::open("/dev/null") {
            held.push(file);
        }
        for spare in 0..8 {
            held.truncate(held.len() - usize::from(spare > 0));
            let results = scheduler.run(stage.path("candidate"), stage.path("r")).await.unwrap().0;
            assert!(results.correct || results.fault == Some(Fault::Infrastructure), "{results:?}");
            assert!(spare > 0 || !results.correct);
        }
        drop(held);
        assert!(stage.run(&scheduler).await.correct);
    });
}
