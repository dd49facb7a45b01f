//! Leases: one owner at a time, with locks and without.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use sortie_results::{Consent, InUse, Lease, LeaseError, Owner, Standing};

fn take(path: &Path) -> Result<Lease, LeaseError> {
    Lease::take(path, &Owner::this(None, Some("test")), Consent::No)
}

type Change<'a> = &'a dyn Fn(&mut serde_json::Value);

/// A file that says that somebody has it.
struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

/// As this process would have written it, but for these members.
fn lease(change: impl FnOnce(&mut serde_json::Value)) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lease");
    let taken = take(&path).unwrap();
    let mut said: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    drop(taken);
    change(&mut said);
    fs::write(&path, said.to_string()).unwrap();
    File { _dir: dir, path }
}

#[test]
fn one_has_it_until_it_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lease");
    assert_eq!(Lease::look(&path).unwrap(), Standing::Free);
    let first = take(&path).unwrap();
    let Standing::Held(Some(owner)) = Lease::look(&path).unwrap() else { panic!("nobody has it") };
    assert_eq!((owner.pid, owner.command.as_deref()), (std::process::id(), Some("test")));
    let error = take(&path).unwrap_err().to_string();
    assert!(error.contains(" is in use by `sortie test`, process "), "{error}");
    assert!(Lease::take(&path, &Owner::this(None, None), Consent::TakeOver).is_err());
    drop(first);
    assert_eq!(Lease::look(&path).unwrap(), Standing::Free);
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
}

#[test]
fn of_many_at_once_one_takes_it_from_a_dead_owner() {
    for round in 0..40 {
        let dead = lease(|said| said["started"] = 1.into());
        if round % 2 == 1 {
            fs::write(&dead.path, "").unwrap();
        }
        let won = thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| take(&dead.path))).collect();
            let all: Vec<_> = all.into_iter().map(|one| one.join().unwrap()).collect();
            let won = all.iter().filter(|one| one.is_ok()).count();
            let left = fs::read_dir(dead.path.parent().unwrap()).unwrap().count();
            assert_eq!(left, 1);
            won
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn a_taker_that_was_killed_keeps_nobody_out() {
    let dead = lease(|said| said["started"] = 1.into());
    let text = fs::read(&dead.path).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let after = dead.path.with_file_name(format!("after-{}", said["id"].as_str().unwrap()));
    fs::write(
        after,
        serde_json::to_vec(&{
            let mut taker = said.clone();
            taker["id"] = "0190f1c27d3e70008000000000000001".into();
            taker
        })
        .unwrap(),
    )
    .unwrap();
    take(&dead.path).unwrap();
}

#[test]
fn what_cannot_be_known_is_not_taken_without_consent() {
    let elsewhere = |said: &mut serde_json::Value| {
        said["host"] = "far".into();
        said["boot"] = "another".into();
        said["machine"] = "another".into();
    };
    let in_container = |said: &mut serde_json::Value| {
        said["locked"] = false.into();
        said["pid_namespace"] = 1.into();
    };
    let cloned = |said: &mut serde_json::Value| {
        said["host"] = "far".into();
        said["boot"] = "another".into();
    };
    let later = |said: &mut serde_json::Value| said["version"] = 2.into();
    let changes: [Change<'_>; 4] = [&elsewhere, &in_container, &cloned, &later];
    for change in changes {
        let unknown = lease(change);
        let standing = Lease::look(&unknown.path).unwrap();
        assert!(matches!(standing, Standing::Unknown(_)), "{standing:?}");
        let error = take(&unknown.path).unwrap_err();
        assert!(matches!(error, LeaseError::InUse(InUse { certain: false, .. })), "{error}");
        Lease::take(&unknown.path, &Owner::this(None, None), Consent::TakeOver).unwrap();
    }
}

#[test]
fn an_owner_that_is_gone_is_seen_to_be() {
    let unlocked = |said: &mut serde_json::Value| {
        said["locked"] = false.into();
        said["started"] = 1.into();
    };
    let restarted = |said: &mut serde_json::Value| said["boot"] = "another".into();
    // By an earlier sortie, in the directory of a sweep.
    let earlier = |said: &mut serde_json::Value| *said = serde_json::json!({"pid": 1, "host": "n"});
    let unlocked_since = |_: &mut serde_json::Value| {};
    let changes: [(Change<'_>, bool); 4] =
        [(&unlocked, true), (&restarted, true), (&earlier, true), (&unlocked_since, false)];
    for (change, is_seen) in changes {
        let gone = lease(change);
        let standing = Lease::look(&gone.path).unwrap();
        assert!(!is_seen || matches!(standing, Standing::Gone(_)), "{standing:?}");
        take(&gone.path).unwrap();
    }
}

#[test]
fn an_owner_without_locks_is_there_while_its_process_is_or_one_of_its_attempt() {
    let alive = lease(|said| said["locked"] = false.into());
    assert!(matches!(
        take(&alive.path).unwrap_err(),
        LeaseError::InUse(InUse { certain: true, .. })
    ));
    // This process has an attempt in its environment, as all that an evaluator starts.
    if let Ok(environment) = fs::read("/proc/self/environ") {
        let attempt = environment.split(|byte| *byte == 0).find_map(|variable| {
            str::from_utf8(variable).ok()?.strip_prefix("SORTIE_ATTEMPT=").map(str::to_owned)
        });
        assert_eq!(attempt, None, "tests do not run in a job");
    }
}
