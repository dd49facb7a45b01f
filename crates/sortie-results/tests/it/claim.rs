//! Taking a results dir: who gets it, and why one does not.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use sortie_results::{AttemptId, ClaimError, Fault, Outcome, ResultsDir};

use crate::{DONE, claim, collect, run, scratch, write_good};

fn refusal(path: &Path) -> ClaimError {
    ResultsDir::claim(path, AttemptId::generate()).unwrap_err()
}

#[test]
fn a_new_directory_with_parents_has_two_empty_logs() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a/b/c", "with space/é", "plain"] {
        let path = dir.path().join(name);
        let claim = claim(&path);
        assert_eq!(claim.path(), path);
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["job_log.err", "job_log.out"]);
    }
    let path = dir.path().join(OsString::from_vec(b"not \xff utf-8".to_vec()));
    write_good(claim(&path).path());
}

#[test]
fn what_is_written_to_the_logs_is_collected_and_appended() {
    let dir = scratch();
    let claim = claim(dir.path());
    let (mut stdout, mut again) = (claim.stdout().try_clone().unwrap(), claim.stdout());
    stdout.write_all(b"one\n").unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(dir.path().join("job_log.out"))
        .unwrap()
        .write_all(b"two\n")
        .unwrap();
    again.write_all(b"three\n").unwrap();
    (&mut claim.stderr()).write_all(b"\xff!").unwrap();
    let results = collect(&claim, DONE);
    assert_eq!(results.stdout_log.text(), "one\ntwo\nthree\n");
    assert_eq!(results.stderr_log.bytes, b"\xff!");
}

#[test]
fn two_claims_at_once_are_refused_until_what_holds_it_last_is_gone() {
    let dir = scratch();
    let first = claim(dir.path());
    let helper = first.hold().try_clone_to_owned().unwrap();
    drop(first);
    let error = refusal(dir.path());
    assert!(matches!(error, ClaimError::InUse(_)));
    assert_eq!(error.fault(), Fault::Setup);
    let expected =
        format!("{} is in use by process {} on ", dir.path().display(), std::process::id());
    assert!(error.to_string().starts_with(&expected), "{error}");

    drop(helper);
    let second = claim(dir.path());
    second.hold();
    second.release();
    assert!(!dir.state("lease").exists());
    drop(claim(dir.path()));
    assert!(!dir.state("lease").exists());
}

#[test]
fn of_many_at_once_one_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let round = |round: u32| {
        let path = dir.path().join(round.to_string());
        let won: Vec<_> = thread::scope(|scope| {
            let claim = || ResultsDir::claim(&path, AttemptId::generate());
            let all: Vec<_> = (0..2).map(|_| scope.spawn(claim)).collect();
            all.into_iter().filter_map(|one| one.join().unwrap().ok()).collect()
        });
        assert_eq!(won.len(), 1);
        assert!(!path.join("previous").exists());
    };
    (0..200).for_each(round);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the crate under test must not know processes")]
fn another_process_keeps_it_and_its_death_frees_it() {
    const HOLD: &str = "import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(60)";
    let dir = scratch();
    let lease = claim(dir.path());
    // As the helper process of a launcher that was killed.
    lease.hold();
    drop(lease);
    let mut holder = Command::new("python3")
        .args(["-c", HOLD])
        .arg(dir.state("lease"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    assert!(matches!(refusal(dir.path()), ClaimError::InUse(_)));
    holder.kill().unwrap();
    holder.wait().unwrap();
    claim(dir.path());
}

#[test]
fn what_the_user_must_mend_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("dangling")).unwrap();
    let cases: [(PathBuf, &str); 7] = [
        (file.clone(), "FILE is a file, not a directory"),
        (file.join("below"), "cannot create FILE/below: FILE is a file, not a directory"),
        (file.join("far/below"), "cannot create FILE/far/below: FILE is a file, not a directory"),
        (dir.path().join("dangling"), "cannot open DIR/dangling: No such file or directory"),
        (
            PathBuf::from("/proc/self/here"),
            "cannot create /proc/self/here: No such file or directory",
        ),
        (PathBuf::from("/sys/kernel/here"), "cannot create /sys/kernel/here: "),
        (dir.path().join("x".repeat(300)), "File name too long"),
    ];
    for (path, message) in cases {
        let error = refusal(&path);
        let text = error.to_string();
        let text = text.replace(&file.display().to_string(), "FILE");
        let text = text.replace(&dir.path().display().to_string(), "DIR");
        assert!(text.contains(message), "{text}");
        assert_eq!(error.fault(), Fault::Setup, "{text}");
        assert_eq!(Outcome::from(&error), Outcome::not_started(error.to_string()));
    }
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn a_read_only_file_system_is_for_the_user_to_mend() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "ro", "sortie-test", path]);
    let inside = refusal(&dir.path().join("inside"));
    let itself = refusal(dir.path());
    run("umount", &[path]);
    for error in [inside, itself] {
        assert_eq!(error.fault(), Fault::Setup);
        assert!(error.to_string().contains("Read-only file system"), "{error}");
    }
}
