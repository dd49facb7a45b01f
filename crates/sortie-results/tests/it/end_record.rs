//! What a batch script left: read if it is this attempt's and nothing else.

use std::{fs, os::unix::fs::symlink, path::Path};

use sortie_results::{AttemptId, End};

use crate::{claim, run, scratch};

fn record(attempt: AttemptId, end: &str) -> String {
    let start = r#""job_id":"123_4","host":"node1","started_at":1795535601.619442"#;
    format!(
        r#"{{"version":1,"attempt":"{attempt}",{start},"ended_at":1795535602,"end":{end}}}{}"#,
        "\n"
    )
}

/// The error for what is put in the record's place.
fn refused(put: impl FnOnce(&Path, AttemptId)) -> String {
    let dir = scratch();
    let claim = claim(dir.path());
    put(&dir.state("job_end.json"), claim.attempt());
    let error = claim.place().job_end(claim.attempt()).unwrap_err().to_string();
    let beside = dir.state("").display().to_string();
    error.strip_prefix(&beside).unwrap_or(&error).to_owned()
}

#[test]
fn every_end_is_read() {
    let step = "conda activate".to_owned();
    for (json, expected) in [
        (r#"{"kind":"exited","code":137}"#, End::Exited { code: 137 }),
        (r#"{"kind":"signaled","signal":9}"#, End::Signaled { signal: 9 }),
        (
            r#"{"kind":"setup_failed","step":"conda activate","status":1}"#,
            End::SetupFailed { step: step.clone(), status: 1, reason: None },
        ),
        (
            r#"{"kind":"setup_failed","step":"conda activate","status":1,"reason":"no \"x\""}"#,
            End::SetupFailed { step, status: 1, reason: Some("no \"x\"".to_owned()) },
        ),
        (r#"{"kind":"terminated","signal":15}"#, End::Terminated { signal: 15 }),
        (r#"{"kind":"output_limit","limit_bytes":1024}"#, End::OutputLimit { limit_bytes: 1024 }),
        (r#"{"kind":"restarted"}"#, End::Restarted),
    ] {
        let dir = scratch();
        let claim = claim(dir.path());
        assert_eq!(claim.place().job_end(claim.attempt()).unwrap(), None);
        fs::write(dir.state("job_end.json"), record(claim.attempt(), json)).unwrap();
        let read = claim.place().job_end(claim.attempt()).unwrap().unwrap();
        assert_eq!(read.end, expected);
        assert_eq!((read.start.job_id.as_str(), read.start.host.as_str()), ("123_4", "node1"));
        assert!(read.ended_at > read.start.started_at);
    }
}

/// As where a path is quoted that is no text.
#[test]
fn a_reason_may_be_no_text() {
    let dir = scratch();
    let claim = claim(dir.path());
    let end = r#"{"kind":"setup_failed","step":"image","status":1,"reason":"no /x~"}"#;
    let mut bytes = record(claim.attempt(), end).into_bytes();
    *bytes.iter_mut().find(|byte| **byte == b'~').unwrap() = 0xff;
    fs::write(dir.state("job_end.json"), bytes).unwrap();
    let read = claim.place().job_end(claim.attempt()).unwrap().unwrap();
    let End::SetupFailed { reason, .. } = read.end else { panic!("{:?}", read.end) };
    assert_eq!(reason.as_deref(), Some("no /x\u{fffd}"));
}

#[test]
fn a_start_is_read() {
    let dir = scratch();
    let claim = claim(dir.path());
    assert_eq!(claim.place().job_start(claim.attempt()).unwrap(), None);
    let text = format!(
        r#"{{"version":1,"attempt":"{}","job_id":"7","host":"n","started_at":1.5}}"#,
        claim.attempt()
    );
    // A script that is writing it, or could not.
    for torn in ["", &text[..20], &text] {
        fs::write(dir.state("job_start.json"), torn).unwrap();
        assert_eq!(claim.place().job_start(claim.attempt()).unwrap(), None, "{torn}");
    }
    fs::write(dir.state("job_start.json"), text + "\n").unwrap();
    let start = claim.place().job_start(claim.attempt()).unwrap().unwrap();
    assert_eq!((start.job_id.as_str(), start.started_at.to_bits()), ("7", 1.5_f64.to_bits()));
}

#[test]
fn another_attempts_is_refused() {
    let other = AttemptId::generate();
    let said =
        refused(|path, _| fs::write(path, record(other, r#"{"kind":"restarted"}"#)).unwrap());
    assert!(said.starts_with(&format!("job_end.json is of attempt {other}, not of ")), "{said}");
}

#[test]
fn another_version_is_refused_whatever_else_it_holds() {
    let said = refused(|path, _| fs::write(path, r#"{"version":2,"end":"other"}"#).unwrap());
    assert_eq!(
        said,
        "job_end.json has version 2, this sortie reads version 1: use the sortie that the job was submitted with"
    );
}

#[test]
fn what_is_no_record_is_refused() {
    for text in ["", "{", "[]", r#"{"version":1}"#] {
        let said = refused(|path, _| fs::write(path, text).unwrap());
        assert!(said.starts_with("job_end.json is no record of a job: "), "{said}");
    }
    let unknown = |path: &Path, id| fs::write(path, record(id, r#"{"kind":"exploded"}"#)).unwrap();
    assert!(refused(unknown).contains("unknown variant `exploded`"));
}

#[test]
fn what_is_no_file_is_not_followed_or_waited_for() {
    let link = refused(|path, _| symlink("/dev/zero", path).unwrap());
    assert_eq!(link, "job_end.json is a symbolic link, not a regular file");
    let fifo = refused(|path, _| run("mkfifo", &[path.to_str().unwrap()]));
    assert_eq!(fifo, "job_end.json is a FIFO, not a regular file");
    let huge = refused(|path, _| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
    assert_eq!(huge, "job_end.json is larger than 16384 bytes");
}

#[test]
fn a_new_claim_moves_them_away() {
    let dir = scratch();
    let first = claim(dir.path());
    for name in ["job_start.json", "job_end.json"] {
        fs::write(dir.state(name), record(first.attempt(), "{}")).unwrap();
    }
    drop(first);
    let second = claim(dir.path());
    assert_eq!(second.place().job_start(second.attempt()).unwrap(), None);
    assert_eq!(second.place().job_end(second.attempt()).unwrap(), None);
    for name in ["job_start.json", "job_end.json"] {
        assert!(dir.path().join("previous/1").join(name).exists());
    }
}
