//! What an evaluator, or the candidate in it, may do with its results dir.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use sortie_results::{
    AttemptId, Claim, Fault, LogTail, ReadLimits, Results, ResultsDir, Submitted, Value, load,
};

use crate::{DONE, Scratch, claim, collect, ended, record::a_run, run, scratch, write_good};

type Work<'a> = &'a dyn Fn(&Path);

/// Has something done to a results dir while an attempt has it, held open or handed to a cluster: the results, each
/// recorded and read back.
fn after(work: impl Fn(&Path)) -> [Results; 2] {
    let held = {
        let dir = scratch();
        let claim = claim(dir.path());
        (&mut claim.stdout()).write_all(b"said\n").unwrap();
        work(dir.path());
        let results = collect(&claim, DONE);
        claim.record(&a_run(), &results).unwrap();
        is_read_back(&dir, &results);
        results
    };
    let reopened = {
        let dir = scratch();
        let note = submit(claim(dir.path()));
        work(dir.path());
        let reopened = ResultsDir::reopen(dir.path(), note.attempt).unwrap();
        let results = reopened.collect(ended(DONE), ReadLimits::default());
        reopened.record(&a_run(), &results).unwrap();
        is_read_back(&dir, &results);
        results
    };
    [held, reopened]
}

fn submit(claim: Claim) -> Submitted {
    let attempt = claim.attempt();
    let submitted = Submitted {
        attempt,
        candidate: "c.py".into(),
        job_name: format!("sortie-{attempt}"),
        element: None,
        script: "job_script.sh".into(),
        submitted_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        evaluator_sha256: None,
    };
    claim.submitted(&submitted).unwrap();
    claim.release();
    submitted
}

fn is_read_back(dir: &Scratch, results: &Results) {
    let (record, loaded) = load(dir.path(), Some(results.attempt), ReadLimits::default()).unwrap();
    assert_eq!((record.correct, record.fault), (results.correct, results.fault));
    assert_eq!(loaded.metrics, results.metrics);
}

#[test]
fn files_in_a_directory_that_was_emptied_or_made_anew_count() {
    let emptied = |dir: &Path| {
        for entry in fs::read_dir(dir).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        write_good(dir);
    };
    let anew = |dir: &Path| {
        fs::remove_dir_all(dir).unwrap();
        fs::create_dir(dir).unwrap();
        write_good(dir);
    };
    let moved = |dir: &Path| {
        fs::rename(dir, dir.with_file_name("moved")).unwrap();
        fs::create_dir(dir).unwrap();
        write_good(dir);
    };
    let works: [&dyn Fn(&Path); 3] = [&emptied, &anew, &moved];
    for work in works {
        for results in after(work) {
            assert!(results.correct, "{results:?}");
            assert_eq!(results.metrics["combined_score"], Value::Float(1.5));
        }
    }
}

#[test]
fn logs_that_were_removed_are_kept() {
    let dir = scratch();
    let claim = claim(dir.path());
    (&mut claim.stdout()).write_all(b"said\n").unwrap();
    (&mut claim.stderr()).write_all(b"and more\n").unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    fs::create_dir(dir.path()).unwrap();
    fs::write(dir.path().join("job_log.err"), "the evaluator's own\n").unwrap();
    let results = collect(&claim, DONE);
    assert_eq!(
        [&results.stdout_log, &results.stderr_log].map(LogTail::text),
        ["said\n", "and more\n"]
    );
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(["job_log.out", "job_log.err"].map(read), ["said\n", "the evaluator's own\n"]);
}

#[test]
fn without_a_directory_it_is_the_candidates_fault() {
    let removed = |dir: &Path| fs::remove_dir_all(dir).unwrap();
    let link = |dir: &Path| {
        removed(dir);
        let elsewhere = dir.with_file_name("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        write_good(&elsewhere);
        symlink(elsewhere, dir).unwrap();
    };
    let file = |dir: &Path| {
        removed(dir);
        fs::write(dir, r#"{"correct": true}"#).unwrap();
    };
    let works: [(Work<'_>, &str); 3] = [
        (&removed, "the results dir was removed"),
        (&link, "the results dir is a symbolic link by now"),
        (&file, "the results dir is no directory any more"),
    ];
    for (work, why) in works {
        for results in after(work) {
            assert_eq!((results.correct, results.fault), (false, Some(Fault::Candidate)));
            let detail = results.detail.unwrap();
            assert!(detail.starts_with("correct.json is missing: "), "{detail}");
            assert!(detail.ends_with(why), "{detail}");
        }
    }
}

/// As a plain user, whom modes keep out: root reads all.
#[test]
#[ignore = "needs root: cargo xtask test"]
fn files_that_were_locked_count() {
    if rustix::process::geteuid().is_root() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let test = std::env::current_exe().unwrap();
        let copy = place.path().join("test");
        fs::copy(test, &copy).unwrap();
        let (copy, temporary) = (copy.to_str().unwrap(), place.path().to_str().unwrap());
        let variable = format!("TMPDIR={temporary}");
        let this = ["--exact", "vandals::files_that_were_locked_count"];
        let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy];
        return run("env", &[&[&*variable], &user[..], &this[..]].concat());
    }
    let locked = |dir: &Path| {
        write_good(dir);
        fs::set_permissions(dir.join("metrics.json"), PermissionsExt::from_mode(0o000)).unwrap();
        fs::set_permissions(dir, PermissionsExt::from_mode(0o000)).unwrap();
    };
    for results in after(locked) {
        assert!(results.correct, "{results:?}");
    }
}

#[test]
fn the_next_attempt_finds_its_place_whatever_stands_there() {
    let dir = scratch();
    let elsewhere = dir.path().with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    drop(claim(dir.path()));
    for put in [0, 1, 2] {
        fs::remove_dir_all(dir.path()).unwrap();
        match put {
            0 => symlink(&elsewhere, dir.path()).unwrap(),
            1 => fs::write(dir.path(), "").unwrap(),
            _ => {}
        }
        let claim = claim(dir.path());
        write_good(dir.path());
        assert!(collect(&claim, DONE).correct);
        assert!(dir.path().symlink_metadata().unwrap().is_dir());
        assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
    }
}

#[test]
fn what_stood_when_the_evaluator_ended_counts() {
    let dir = scratch();
    let claim = claim(dir.path());
    write_good(dir.path());
    claim.keep(ReadLimits::default()).unwrap();
    fs::write(dir.path().join("metrics.json"), r#"{"combined_score": 99}"#).unwrap();
    fs::remove_file(dir.path().join("correct.json")).unwrap();
    let results = collect(&claim, DONE);
    assert_eq!(results.metrics["combined_score"], Value::Float(1.5));
    assert!(results.correct);
    claim.record(&a_run(), &results).unwrap();
    is_read_back(&dir, &results);
    // And those who read the files themselves see the same.
    let metrics = fs::read_to_string(dir.path().join("metrics.json")).unwrap();
    assert_eq!(metrics, r#"{"combined_score": 1.5}"#);
}

#[test]
fn what_was_not_there_when_the_evaluator_ended_does_not_count() {
    for put in [
        |_: &Path| {},
        |path: &Path| symlink("/dev/null", path).unwrap(),
        |path: &Path| fs::create_dir(path).unwrap(),
    ] {
        let dir = scratch();
        let claim = claim(dir.path());
        put(&dir.path().join("metrics.json"));
        claim.keep(ReadLimits::default()).unwrap();
        let _ = fs::remove_file(dir.path().join("metrics.json"));
        let _ = fs::remove_dir(dir.path().join("metrics.json"));
        write_good(dir.path());
        let results = collect(&claim, DONE);
        assert_eq!(results.fault, Some(Fault::Candidate));
        assert!(results.metrics.is_empty());
    }
}

#[test]
fn a_record_that_the_candidate_writes_is_not_read() {
    let dir = scratch();
    let held = claim(dir.path());
    for name in ["job.json", "job_end.json", "submitted.json", "job_submitted.json"] {
        fs::write(dir.path().join(name), r#"{"version":1}"#).unwrap();
    }
    assert!(
        load(dir.path(), None, ReadLimits::default())
            .unwrap_err()
            .to_string()
            .ends_with("is missing")
    );
    drop(held);
    claim(dir.path());
    let attempt = AttemptId::generate();
    assert!(sortie_results::Place::of(dir.path()).job_end(attempt).unwrap().is_none());
}
