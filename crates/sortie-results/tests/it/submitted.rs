//! Attempts that wait and run on a cluster: nobody holds their results dir open.

use std::{fs, os::unix::fs::PermissionsExt};

use sortie_results::{
    AttemptId, ClaimError, Consent, Fault, Outcome, ReadLimits, Record, ReopenError, ResultsDir,
    Submitted, Usage,
};

use crate::{DONE, Scratch, claim, ended, record::a_run, scratch, write_good};

fn note(attempt: AttemptId) -> Submitted {
    Submitted {
        attempt,
        candidate: "c.py".into(),
        job_name: format!("sortie-{attempt}"),
        element: Some(3),
        script: "job_script.sh".into(),
        submitted_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        evaluator_sha256: None,
    }
}

fn submit(dir: &Scratch) -> Submitted {
    let claim = claim(dir.path());
    let note = note(claim.attempt());
    assert_eq!(claim.keep_script(b"#!/bin/bash\n").unwrap(), dir.state("job_script.sh"));
    let mode = dir.state("job_script.sh").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it may hold secrets");
    claim.submitted(&note).unwrap();
    claim.release();
    note
}

#[test]
fn the_directory_is_kept_until_the_attempt_has_a_record() {
    let dir = scratch();
    let note = submit(&dir);
    assert_eq!(Submitted::read(dir.path()).unwrap(), note);
    let error = ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap_err();
    assert!(matches!(&error, ClaimError::Submitted { job_name, .. } if *job_name == note.job_name));
    assert_eq!(error.fault(), Fault::Setup);

    write_good(dir.path());
    fs::write(dir.path().join("job_log.err"), "said\n").unwrap();
    let reopened = ResultsDir::reopen(dir.path(), note.attempt).unwrap();
    assert_eq!(reopened.submitted(), &note);
    assert_eq!(reopened.stderr(100).text(), "said\n");
    let results = reopened.collect(ended(DONE), ReadLimits::default());
    assert!(results.correct);
    assert_eq!((results.attempt, results.stderr_log.text().as_str()), (note.attempt, "said\n"));
    reopened.record(&a_run(), &results).unwrap();
    assert_eq!(Record::read(dir.path()).unwrap().attempt, note.attempt);

    // And all of it is moved away as one.
    claim(dir.path());
    let previous = dir.path().join("previous").join(note.attempt.to_string());
    assert!(previous.join("job_submitted.json").exists() && previous.join("job.json").exists());
    assert!(previous.join("job_script.sh").exists() && !dir.state("job_script.sh").exists());
}

#[test]
fn another_attempts_directory_is_not_opened() {
    let dir = scratch();
    let note = submit(&dir);
    fs::remove_file(dir.state("submitted.json")).unwrap();
    let error = ResultsDir::reopen(dir.path(), note.attempt).unwrap_err();
    assert!(error.to_string().ends_with("submitted.json is missing"), "{error}");
    let other = submit(&dir);
    let error = ResultsDir::reopen(dir.path(), note.attempt).unwrap_err();
    assert!(matches!(error, ReopenError::OtherAttempt { found, .. } if found == other.attempt));
}

#[test]
fn a_note_that_nobody_can_read_keeps_others_out_until_somebody_says_that_the_job_is_gone() {
    for text in ["", "{}", r#"{"version": 2, "new": 0}"#] {
        let dir = scratch();
        claim(dir.path()).submitted(&note(AttemptId::generate())).unwrap();
        fs::write(dir.state("submitted.json"), text).unwrap();
        let error = ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap_err();
        assert!(matches!(error, ClaimError::Unreadable { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Setup);
        let said = error.to_string();
        assert!(said.starts_with(&dir.state("submitted.json").display().to_string()), "{said}");
        assert!(!text.contains('2') || said.contains("version 2"), "{said}");
        ResultsDir::claim_with(dir.path(), AttemptId::generate(), Consent::TakeOver).unwrap();
        assert!(dir.path().join("previous/1/job_submitted.json").exists());
    }
}

#[test]
fn logs_that_are_not_there_are_no_hindrance() {
    let dir = scratch();
    let note = submit(&dir);
    fs::remove_file(dir.path().join("job_log.out")).unwrap();
    let reopened = ResultsDir::reopen(dir.path(), note.attempt).unwrap();
    let lost = Outcome::Lost { reason: "gone".into() };
    let results = reopened.collect(ended(lost), ReadLimits::default());
    assert_eq!(results.stdout_log.text(), "[sortie: this log is missing]\n");
    assert_eq!(results.usage, Usage::default());
}
