//! `job.json`: written whole, read back, and never another attempt's.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::Write as _,
    os::unix::{ffi::OsStringExt as _, fs::symlink},
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use sortie_results::{
    AttemptId, Ended, Outcome, ReadLimits, Record, RecordError, Results, ResultsDir, Run, Seconds,
    Start, Usage, load,
};

use crate::{DONE, claim, collect, ended, scratch, write_good};

pub(crate) fn a_run() -> Run {
    Run {
        candidate: PathBuf::from(OsString::from_vec(b"gen_\xff/main.py".to_vec())),
        command: ["python3", "evaluate.py", "--seed", "7"].map(OsString::from).into(),
        submitted_at: "2025-01-02T03:04:05Z".parse().unwrap(),
        started_at: Some("2025-01-02T03:04:06.5Z".parse().unwrap()),
        ended_at: "2025-01-02T03:04:08Z".parse().unwrap(),
        stragglers: 2,
        protection: vec!["pid namespace".to_owned()],
        host: "node1".to_owned(),
        evaluator_sha256: Some("1f0c2a6b9d8e".to_owned()),
        read_limits: ReadLimits { log_tail_bytes: 100, max_result_bytes: 2000 },
    }
}

fn a_failure() -> Ended {
    Ended {
        outcome: Outcome::signaled(11),
        seconds: Seconds { queued: 1.5, running: 1.5, total: 3.0 },
        usage: Usage { cpu_user_seconds: 0.5, cpu_system_seconds: 0.25, peak_memory_bytes: 4096 },
        ..ended(Outcome::Cancelled)
    }
}

#[test]
fn has_a_stable_form() {
    let dir = scratch();
    let claim = claim(dir.path());
    let results = claim.collect(a_failure(), ReadLimits::default());
    claim.record(&a_run(), &results).unwrap();
    let json = fs::read_to_string(dir.path().join("job.json")).unwrap();
    let json = json.replace(&claim.attempt().to_string(), "ATTEMPT");
    let json = json.replace(dir.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(json);
}

#[test]
fn an_attempt_is_read_back_as_it_was() {
    for outcome in [DONE, Outcome::Exited { code: 1 }, Outcome::Cancelled] {
        let dir = scratch();
        let claim = claim(dir.path());
        write_good(dir.path());
        (&mut claim.stdout()).write_all(&b"line\n".repeat(1000)).unwrap();
        let limits = ReadLimits { log_tail_bytes: 100, ..ReadLimits::default() };
        let results = claim.collect(Ended { outcome, ..a_failure() }, limits);
        let record = claim.record(&a_run(), &results).unwrap();
        assert_eq!(Record::read(dir.path()).unwrap(), record);
        let loaded = load(dir.path(), Some(claim.attempt()), limits).unwrap();
        assert_eq!(loaded, (record, results.clone()));
        drop(claim);

        // Also from where the next claim puts it.
        drop(crate::claim(dir.path()));
        let previous = dir.path().join("previous").join(results.attempt.to_string());
        assert_eq!(load(&previous, None, limits).unwrap().1, results);
    }
}

/// Each attempt writes a score of its own while another process reads, again and again.
#[test]
fn what_is_read_is_of_one_attempt() {
    let dir = scratch();
    let scores = Mutex::new(HashMap::new());
    let is_over = AtomicBool::new(false);
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = 0;
            while !is_over.load(Ordering::Relaxed) {
                if let Ok((record, results)) = load(dir.path(), None, ReadLimits::default()) {
                    let score = results.metrics["combined_score"].as_f64().unwrap();
                    let expected: f64 = scores.lock().unwrap()[&record.attempt];
                    assert_eq!(expected.to_bits(), score.to_bits());
                    read += 1;
                }
            }
            read
        });
        for score in (0..300).map(f64::from) {
            // A process that another test is just starting may have the last one's lock for a moment.
            let try_to = || ResultsDir::claim(dir.path(), AttemptId::generate());
            let claim = std::iter::repeat_with(try_to).find_map(Result::ok).unwrap();
            scores.lock().unwrap().insert(claim.attempt(), score);
            write_good(dir.path());
            let metrics = format!(r#"{{"combined_score": {score}}}"#);
            fs::write(dir.path().join("metrics.json"), metrics).unwrap();
            claim.record(&a_run(), &collect(&claim, DONE)).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(read > 0);
}

/// Records of before there was `start` or `read_limits` are read, and those with it by whoever knows nothing of it: the version is the
/// same.
#[test]
fn how_it_was_started_is_kept_and_may_be_missing() {
    let dir = scratch();
    let claim = claim(dir.path());
    let start = Start::Fallback { reason: "it hangs up".to_owned() };
    let results = Results { start: Some(start), ..collect(&claim, DONE) };
    let record = claim.record(&a_run(), &results).unwrap();
    assert_eq!((&record.start, record.version), (&results.start, 1));
    let loaded = load(dir.path(), None, ReadLimits::default()).unwrap();
    assert_eq!(loaded, (record.clone(), results));

    let path = dir.state("job.json");
    let mut older: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for name in ["start", "read_limits", "evaluator_sha256"] {
        older.as_object_mut().unwrap().remove(name).unwrap();
    }
    fs::write(&path, older.to_string()).unwrap();
    let (older, results) = load(dir.path(), None, ReadLimits::default()).unwrap();
    assert_eq!(
        (&older, results.start),
        (&Record { start: None, read_limits: None, evaluator_sha256: None, ..record }, None)
    );
}

#[test]
fn a_log_that_is_gone_is_said_to_be() {
    let dir = scratch();
    let claim = claim(dir.path());
    claim.record(&a_run(), &collect(&claim, DONE)).unwrap();
    fs::remove_file(dir.path().join("job_log.out")).unwrap();
    fs::remove_file(dir.path().join("job_log.err")).unwrap();
    symlink("/etc/passwd", dir.path().join("job_log.err")).unwrap();
    let (_, results) = load(dir.path(), None, ReadLimits::default()).unwrap();
    assert_eq!(results.stdout_log.text(), "[sortie: this log is missing]\n");
    let refused = "[sortie: this log is a symbolic link, not a regular file]\n";
    assert_eq!(results.stderr_log.text(), refused);
}

#[test]
fn of_another_attempt_is_refused() {
    let dir = scratch();
    let claim = claim(dir.path());
    let results = collect(&claim, DONE);
    claim.record(&a_run(), &results).unwrap();
    let expected = AttemptId::generate();
    let error = load(dir.path(), Some(expected), ReadLimits::default()).unwrap_err();
    let path = dir.state("job.json");
    let message =
        format!("{} is of attempt {}, not of {expected}", path.display(), claim.attempt());
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_is_no_record_is_refused() {
    let dir = scratch();
    let path = dir.path().join("job.json");
    let refusal =
        || Record::read(dir.path()).unwrap_err().to_string().replace(path.to_str().unwrap(), "F");
    assert_eq!(refusal(), "F is missing");
    let cases = [
        ("", "F is not the record of an attempt: EOF while parsing a value at line 1 column 0"),
        ("{}", "F is not the record of an attempt: missing field `version` at line 1 column 2"),
        (
            r#"{"version": 1}"#,
            "F is not the record of an attempt: missing field `attempt` at line 1 column 14",
        ),
        (r#"{"version": 2, "new": 0}"#, "F is of version 2; this sortie reads version 1"),
    ];
    for (json, message) in cases {
        fs::write(&path, json).unwrap();
        assert_eq!(refusal(), message);
    }
    fs::remove_file(&path).unwrap();
    symlink("elsewhere", &path).unwrap();
    assert_eq!(refusal(), "F is a symbolic link, not a regular file");
    let nowhere = Record::read(&dir.path().join("nowhere")).unwrap_err();
    assert!(matches!(nowhere, RecordError::Dir { .. }));
}

#[test]
fn is_written_whatever_the_evaluator_put_there() {
    let limits = ReadLimits::default();
    let dir = scratch();
    let path = dir.path().join("job.json");
    let claim = claim(dir.path());
    let results = collect(&claim, DONE);

    fs::write(dir.path().join("victim"), "untouched").unwrap();
    symlink("victim", &path).unwrap();
    claim.record(&a_run(), &results).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "untouched");
    assert!(path.symlink_metadata().unwrap().is_file(), "people find the record there, too");
    load(dir.path(), Some(claim.attempt()), limits).unwrap();

    fs::remove_file(&path).unwrap();
    fs::create_dir_all(path.join("inside")).unwrap();
    claim.record(&a_run(), &results).unwrap();
    load(dir.path(), Some(claim.attempt()), limits).unwrap();
    assert!(dir.path().join("previous/2/job.json/inside").is_dir());
}
