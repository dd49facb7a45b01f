//! The directory of a sweep: made, read, refused.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use sortie_results::Standing;
use sortie_sweep::{
    Candidate, NewSweep, OpenSweep, Options, RealDisk, State, SweepDir, SweepError,
};

fn candidate(id: &str) -> Candidate {
    Candidate { id: id.into(), path: format!("{id}.py").into(), args: Vec::new() }
}

fn create(dir: &SweepDir, candidates: Vec<Candidate>) -> Result<OpenSweep, SweepError> {
    let new = NewSweep {
        settings: "job_type: local\n",
        cwd: "/".into(),
        options: Options::default(),
        candidates,
    };
    OpenSweep::create(dir.clone(), new, Arc::new(RealDisk))
}

#[test]
fn what_was_asked_for_is_read_back() {
    let temp = tempfile::tempdir().unwrap();
    let dir = SweepDir::new(temp.path().join("deep/out"));
    let odd = Candidate {
        id: "odd".into(),
        path: OsStr::from_bytes(b"od\xff\n.py").into(),
        args: vec![("seed".into(), "3".into()), ("name".into(), "it's".into())],
    };
    let candidates = vec![candidate("a"), odd];
    drop(create(&dir, candidates.clone()).unwrap());
    let sweep = dir.read().unwrap();
    assert_eq!(sweep.candidates, candidates);
    assert_eq!(sweep.states, [State::Waiting, State::Waiting]);
    assert_eq!((sweep.header.version, sweep.header.candidates), (1, 2));
    assert_eq!(sweep.header.options, Options::default());
    assert_eq!(sweep.sessions[0].pid, std::process::id());
    assert_eq!(dir.settings().unwrap(), "job_type: local\n");
    assert_eq!(dir.results().unwrap().count(), 0);
}

#[test]
fn one_launcher_at_a_time() {
    let temp = tempfile::tempdir().unwrap();
    let dir = SweepDir::new(temp.path());
    assert_eq!(dir.standing(), Standing::Free);
    let first = create(&dir, vec![candidate("a")]).unwrap();
    let Standing::Held(Some(owner)) = dir.standing() else { panic!("nobody has it") };
    assert!(owner.is_here() && owner.pid == std::process::id(), "{owner:?}");
    let error = OpenSweep::resume(dir.clone(), Arc::new(RealDisk)).unwrap_err();
    let said = format!("is in use by `sortie sweep`, process {} on ", std::process::id());
    assert!(error.to_string().contains(&said), "{error}");
    dir.read().unwrap();
    drop(first);
    assert_eq!(dir.standing(), Standing::Free);
    let again = OpenSweep::resume(dir.clone(), Arc::new(RealDisk)).unwrap();
    assert_eq!(dir.read().unwrap().sessions.len(), 2);
    drop(again);
}

#[test]
fn other_peoples_files_are_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let dir = SweepDir::new(temp.path());
    let error = OpenSweep::resume(dir.clone(), Arc::new(RealDisk)).unwrap_err();
    assert!(error.to_string().ends_with("holds no sweep: it has no ledger.jsonl"), "{error}");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    fs::write(temp.path().join("settings.yaml"), "mine").unwrap();
    let error = create(&dir, vec![candidate("a")]).unwrap_err();
    assert!(error.to_string().contains("it holds \"settings.yaml\""), "{error}");
    assert_eq!(dir.settings().unwrap(), "mine");
    fs::remove_file(temp.path().join("settings.yaml")).unwrap();
    drop(create(&dir, vec![candidate("a")]).unwrap());
    let error = create(&dir, vec![candidate("a")]).unwrap_err();
    assert!(error.to_string().contains("holds a sweep already"), "{error}");
}

#[test]
fn a_torn_tail_is_cut_and_a_damaged_head_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dir = SweepDir::new(temp.path());
    drop(create(&dir, vec![candidate("a")]).unwrap());
    let whole = fs::read(dir.ledger_file()).unwrap();
    for torn in [&b"5"[..], b"00000000 {}\n", b"\0\0\0\0\n\0"] {
        fs::write(dir.ledger_file(), [&whole, torn].concat()).unwrap();
        assert_eq!(dir.read().unwrap().sessions.len(), 1);
        drop(OpenSweep::resume(dir.clone(), Arc::new(RealDisk)).unwrap());
        let mended = fs::read(dir.ledger_file()).unwrap();
        assert!(mended.starts_with(&whole) && mended.len() > whole.len());
        assert_eq!(dir.read().unwrap().sessions.len(), 2);
    }
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    fs::write(dir.ledger_file(), lines[0]).unwrap();
    let error = dir.read().unwrap_err().to_string();
    let said = "ledger.jsonl:2: not a whole line of a sweep's ledger: a candidate is expected";
    assert!(error.ends_with(said), "{error}");
    fs::write(dir.ledger_file(), "hello\n").unwrap();
    assert!(matches!(dir.read().unwrap_err(), SweepError::Damaged { line: 1, .. }));
    let later = br#"{"sweep":{"version":2}}"#;
    fs::write(dir.ledger_file(), format!("{:08x} {}\n", crc(later), r#"{"sweep":{"version":2}}"#))
        .unwrap();
    let error = dir.read().unwrap_err().to_string();
    assert!(error.ends_with("is of version 2; this sortie reads version 1"), "{error}");
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
