//! A failure for want of space is not the candidate's.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use sortie_results::{AttemptId, Fault, Outcome, RecordError, ResultsDir};

use crate::{DONE, claim, collect, record::a_run, run, write_good};

/// A small tmpfs, unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        run("mount", &["-t", "tmpfs", "-o", options, "sortie-test", dir.path().to_str().unwrap()]);
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("results")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: the test that fails may have files open here.
        run("umount", &["--lazy", self.0.path().to_str().unwrap()]);
    }
}

fn fill(path: &Path) {
    let filler = fs::OpenOptions::new().append(true).create(true).open(path.join("filler"));
    let mut file = filler.unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn a_failure_on_a_full_disk_is_the_infrastructures() {
    let disk = Small::mount("size=256k");
    let path = disk.path();
    let claim = claim(&path);
    write_good(&path);
    let failed = Outcome::Exited { code: 1 };
    assert_eq!(collect(&claim, failed.clone()).fault, Some(Fault::Candidate));

    fill(&path);
    let good = collect(&claim, DONE);
    assert!(good.correct, "{good:?}");
    let results = collect(&claim, failed);
    assert_eq!(results.fault, Some(Fault::Infrastructure));
    assert_eq!(results.detail, Some(format!("no space left on {} (exit code 1)", path.display())));
    assert_eq!(collect(&claim, Outcome::Cancelled).fault, None);

    fs::remove_file(path.join("metrics.json")).unwrap();
    fill(&path);
    fs::write(path.join("metrics.json"), r#"{"combined_score": 1.5}"#).unwrap_err();
    let results = collect(&claim, DONE);
    assert_eq!(results.fault, Some(Fault::Infrastructure));
    let detail = "(metrics.json: line 1 column 1: ends where a value is expected)";
    assert!(results.detail.unwrap().ends_with(detail));

    let error = claim.record(&a_run(), &good).unwrap_err();
    assert!(matches!(error, RecordError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("job.json: No space left on device"), "{error}");
    let left = fs::read_dir(claim.place().state_dir())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("job.json"));
    assert_eq!(left.count(), 0);
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn neither_is_a_directory_that_cannot_be_made() {
    // For the root; two directories, and `.sortie` with one; a lease and two logs.
    let disk = Small::mount("size=256k,nr_inodes=8");
    let taken = claim(&disk.path().join("parent"));
    let error = ResultsDir::claim(&disk.path().join("other"), AttemptId::generate()).unwrap_err();
    assert_eq!(error.fault(), Fault::Infrastructure);
    assert!(error.to_string().contains("No space left on device"), "{error}");
    let reason = error.to_string();
    let expected = Outcome::NotStarted { reason, fault: Fault::Infrastructure };
    assert_eq!(Outcome::from(&error), expected);
    drop(taken);
}
