//! What is in the place of a result file and is none.

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

use sortie_results::{Fault, ReadLimits, Value};

use crate::{DONE, claim, collect, ended, run, scratch, write_good};

/// Puts something in the place of `metrics.json`, and of `correct.json`, and expects this of each.
fn expect_refused(put: impl Fn(&Path), detail: &str) {
    for name in ["metrics.json", "correct.json"] {
        let dir = scratch();
        let claim = claim(dir.path());
        write_good(dir.path());
        let path = dir.path().join(name);
        fs::remove_file(&path).unwrap();
        put(&path);
        let results = collect(&claim, DONE);
        assert!(!results.correct);
        assert_eq!(results.fault, Some(Fault::Candidate));
        assert_eq!(results.detail, Some(format!("{name}{detail}")));
        let whole = results.metrics.len() == 1;
        assert_eq!(whole, name == "correct.json");
        let said = results.correct_json.get("correct");
        assert_eq!(said, Some(&Value::Bool(name == "metrics.json")));
    }
}

#[test]
fn nothing_there() {
    expect_refused(|_| {}, " is missing");
}

#[test]
fn symbolic_links_are_not_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    write_good(elsewhere.path());
    let target = |path: &Path| elsewhere.path().join(path.file_name().unwrap());
    let put = |path: &Path| symlink(target(path), path).unwrap();
    expect_refused(put, " is a symbolic link, not a regular file");
}

#[test]
fn hard_links_may_lead_elsewhere() {
    let elsewhere = tempfile::tempdir_in("/tmp").unwrap();
    write_good(elsewhere.path());
    let target = |path: &Path| elsewhere.path().join(path.file_name().unwrap());
    let put = |path: &Path| fs::hard_link(target(path), path).unwrap();
    expect_refused(put, " is a hard link, not a file of its own");
}

#[test]
fn fifos_are_not_waited_for() {
    let put = |path: &Path| run("mkfifo", &[path.to_str().unwrap()]);
    expect_refused(put, " is a FIFO, not a regular file");
}

#[test]
fn directories() {
    expect_refused(|path| fs::create_dir(path).unwrap(), " is a directory, not a regular file");
}

#[test]
fn sockets() {
    let put = |path: &Path| drop(UnixListener::bind(path).unwrap());
    expect_refused(put, " is a socket or a device, not a regular file");
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn devices() {
    let put = |path: &Path| run("mknod", &[path.to_str().unwrap(), "c", "1", "5"]);
    expect_refused(put, " is a device, not a regular file");
}

#[test]
fn huge_files_are_not_read() {
    let put = |path: &Path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    expect_refused(put, " is larger than 16777216 bytes");
}

#[test]
fn cut_short() {
    let put = |path: &Path| fs::write(path, "{\n  \"correct\": tr").unwrap();
    expect_refused(put, ": line 2 column 14: expected a value");
    let put = |path: &Path| fs::write(path, "").unwrap();
    expect_refused(put, ": line 1 column 1: ends where a value is expected");
}

#[test]
fn deeply_nested() {
    let put = |path: &Path| fs::write(path, "[".repeat(1_000_000)).unwrap();
    expect_refused(put, ": line 1 column 501: nested more than 500 deep");
}

#[test]
fn a_file_of_just_the_limit_is_read() {
    let dir = scratch();
    let claim = claim(dir.path());
    write_good(dir.path());
    let size = fs::metadata(dir.path().join("metrics.json")).unwrap().len();
    let with = |max_result_bytes| {
        claim.collect(ended(DONE), ReadLimits { max_result_bytes, ..ReadLimits::default() })
    };
    assert!(with(size).correct);
    assert_eq!(
        with(size - 1).detail.unwrap(),
        format!("metrics.json is larger than {} bytes", size - 1)
    );
}

#[test]
fn logs_replaced_under_their_names_do_not_lie() {
    let dir = scratch();
    let claim = claim(dir.path());
    (&mut claim.stdout()).write_all(b"true\n").unwrap();
    fs::remove_file(dir.path().join("job_log.out")).unwrap();
    fs::write(dir.path().join("job_log.out"), "false\n").unwrap();
    assert_eq!(collect(&claim, DONE).stdout_log.text(), "true\n");
}

#[test]
fn a_results_dir_moved_away_and_replaced_by_a_link_is_not_followed() {
    let dir = scratch();
    let claim = claim(dir.path());
    write_good(dir.path());
    fs::rename(dir.path(), dir.path().with_file_name("moved")).unwrap();
    symlink("moved", dir.path()).unwrap();
    let results = collect(&claim, DONE);
    assert_eq!(results.fault, Some(Fault::Candidate));
    let detail = "correct.json is missing: the results dir is a symbolic link by now; \
                  metrics.json is missing: the results dir is a symbolic link by now";
    assert_eq!(results.detail.as_deref(), Some(detail));
}
