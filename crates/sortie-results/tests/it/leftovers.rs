//! What an earlier run left is neither read nor destroyed.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, symlink},
    path::Path,
};

use sortie_results::{AttemptId, ClaimError, Fault, ResultsDir};

use crate::{DONE, claim, collect, record::a_run, run, scratch, write_good};

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn go_to_a_directory_of_their_attempts_name() {
    let dir = scratch();
    let path = dir.path();
    let first = claim(path);
    let attempt = first.attempt().to_string();
    write_good(path);
    fs::write(path.join("mine.txt"), "mine").unwrap();
    let results = collect(&first, DONE);
    first.record(&a_run(), &results).unwrap();
    drop(first);

    let second = claim(path);
    assert_eq!(names(path), ["job_log.err", "job_log.out", "mine.txt", "previous"]);
    let all = ["correct.json", "job.json", "job_log.err", "job_log.out", "metrics.json"];
    assert_eq!(names(&path.join("previous").join(&attempt)), all);

    let results = collect(&second, DONE);
    assert_eq!(results.detail.as_deref(), Some("correct.json is missing; metrics.json is missing"));
    assert_eq!(results.fault, Some(Fault::Candidate));
    assert!(results.metrics.is_empty());
    drop(second);

    // A copy of the same record does not overwrite what is there, nor does what has none.
    fs::copy(path.join("previous").join(&attempt).join("job.json"), path.join("job.json")).unwrap();
    drop(claim(path));
    drop(claim(path));
    drop(claim(path));
    let mut expected =
        vec!["1".to_owned(), "2".to_owned(), attempt.clone(), format!("{attempt}-2")];
    expected.sort();
    assert_eq!(names(&path.join("previous")), expected);
    assert_eq!(names(&path.join("previous").join(&attempt)), all);
}

#[test]
fn of_every_kind_are_moved_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (dir.path().join("results"), dir.path().join("elsewhere"));
    fs::create_dir_all(path.join("correct.json/inside")).unwrap();
    fs::write(&elsewhere, "untouched").unwrap();
    symlink(&elsewhere, path.join("metrics.json")).unwrap();
    symlink("nowhere", path.join("job_log.out")).unwrap();
    run("mkfifo", &[path.join("job_log.err").to_str().unwrap()]);
    run("mkfifo", &[path.join("job.json").to_str().unwrap()]);

    drop(claim(&path));
    assert_eq!(names(&path), ["job_log.err", "job_log.out", "previous"]);
    let moved = path.join("previous/1");
    assert!(moved.join("correct.json/inside").is_dir());
    assert_eq!(fs::read_link(moved.join("metrics.json")).unwrap(), elsewhere);
    assert_eq!(fs::read_link(moved.join("job_log.out")).unwrap(), Path::new("nowhere"));
    assert!(fs::symlink_metadata(moved.join("job_log.err")).unwrap().file_type().is_fifo());
    assert!(fs::symlink_metadata(moved.join("job.json")).unwrap().file_type().is_fifo());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "untouched");
}

#[test]
fn are_not_moved_through_a_symbolic_link() {
    let dir = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (dir.path().join("results"), dir.path().join("elsewhere"));
    fs::create_dir(&path).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, path.join("previous")).unwrap();
    drop(claim(&path));
    let error = ResultsDir::claim(&path, AttemptId::generate()).unwrap_err();
    assert!(matches!(error, ClaimError::Failed { .. }));
    assert_eq!(error.fault(), Fault::Setup);
    assert!(error.to_string().contains("results/previous: "), "{error}");
    assert_eq!(names(&path), ["job_log.err", "job_log.out", "previous"]);
    assert!(names(&elsewhere).is_empty());
}
