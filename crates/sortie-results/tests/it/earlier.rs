//! Results dirs of an earlier sortie, which kept its own files in them; and such as were moved to elsewhere.

use std::{fs, path::Path};

use sortie_results::{
    AttemptId, ClaimError, Place, ReadLimits, Record, ResultsDir, Sight, Submitted, load,
};

use crate::{DONE, claim, collect, ended, record::a_run, scratch, write_good};

/// The note of a job that was handed to Slurm, as it was written then.
fn note(dir: &Path) -> AttemptId {
    let attempt = AttemptId::generate();
    let note = format!(
        r#"{{"version":1,"attempt":"{attempt}","candidate":"c.py","job_name":"sortie-{attempt}","element":null,"script":"job_script.sh","submitted_at":"2026-11-01T00:00:00Z"}}"#
    );
    fs::write(dir.join("job_submitted.json"), note).unwrap();
    for name in ["job_log.out", "job_log.err", "job_script.sh"] {
        fs::write(dir.join(name), name).unwrap();
    }
    attempt
}

#[test]
fn a_job_of_a_cluster_is_taken_up_and_keeps_others_out() {
    let dir = scratch();
    let attempt = note(dir.path());
    let error = ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap_err();
    assert!(matches!(error, ClaimError::Submitted { attempt: other, .. } if other == attempt));
    assert!(!dir.state("").exists(), "what is looked for is still in the results dir");
    assert_eq!(Submitted::read(dir.path()).unwrap().attempt, attempt);
    assert!(Sight::is_likely(dir.path()));

    write_good(dir.path());
    let end = format!(
        r#"{{"version":1,"attempt":"{attempt}","job_id":"7","host":"n","started_at":1.5,"ended_at":2,"end":{{"kind":"exited","code":0}}}}"#
    );
    fs::write(dir.path().join("job_end.json"), end).unwrap();
    assert!(Place::of(dir.path()).job_end(attempt).unwrap().is_some());
    let reopened = ResultsDir::reopen(dir.path(), attempt).unwrap();
    let results = reopened.collect(ended(DONE), ReadLimits::default());
    assert_eq!((results.correct, results.stdout_log.text().as_str()), (true, "job_log.out"));
    reopened.record(&a_run(), &results).unwrap();
    assert_eq!(Record::read(dir.path()).unwrap().attempt, attempt);

    // The next attempt moves all of it away, and keeps its own files elsewhere.
    let next = claim(dir.path());
    let previous = dir.path().join("previous").join(attempt.to_string());
    for name in ["job_submitted.json", "job.json", "job_end.json", "job_script.sh", "job_log.out"] {
        assert!(previous.join(name).exists(), "{name}");
    }
    assert_eq!(load(&previous, Some(attempt), ReadLimits::default()).unwrap().1, results);
    next.record(&a_run(), &collect(&next, DONE)).unwrap();
    assert!(dir.state("job.json").exists());
}

#[test]
fn one_in_which_it_runs_is_not_taken() {
    let dir = scratch();
    let earlier = fs::File::open(dir.path()).unwrap();
    earlier.lock().unwrap();
    let error = ResultsDir::claim(dir.path(), AttemptId::generate()).unwrap_err();
    assert!(matches!(error, ClaimError::InUse(_)), "{error}");
    drop(earlier);
    claim(dir.path());
}

#[test]
fn a_results_dir_that_was_moved_has_its_record_with_it() {
    let dir = scratch();
    let held = claim(dir.path());
    write_good(dir.path());
    let results = collect(&held, DONE);
    held.record(&a_run(), &results).unwrap();
    held.release();
    let moved = tempfile::tempdir_in("/tmp").unwrap();
    let moved = moved.path().join("results");
    fs::rename(dir.path(), &moved).unwrap();
    assert_eq!(load(&moved, Some(results.attempt), ReadLimits::default()).unwrap().1, results);
}

#[test]
fn where_nothing_can_be_made_beside_it_the_state_is_within() {
    let dir = scratch();
    // In the way, as a parent that cannot be written to.
    fs::write(dir.path().with_file_name(".sortie"), "").unwrap();
    let held = claim(dir.path());
    assert_eq!(held.place().state_dir(), dir.path().join(".sortie-state"));
    write_good(dir.path());
    held.record(&a_run(), &collect(&held, DONE)).unwrap();
    assert_eq!(Record::read(dir.path()).unwrap().attempt, held.attempt());
}
