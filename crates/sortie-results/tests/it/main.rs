//! What the crate does on real files, locks and file systems, and beside the real `python3`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic, and its helpers too"
)]

mod blame;
mod claim;
mod earlier;
mod end_record;
mod full_disk;
mod json_form;
mod lease;
mod leftovers;
mod python;
mod record;
mod refused;
mod submitted;
mod vandals;

use std::path::{Path, PathBuf};

use sortie_results::{
    AttemptId, Claim, Ended, Outcome, Programs, ReadLimits, Results, ResultsDir, Seconds, Usage,
};

/// A directory that is a results dir, or is to become one: what is beside it goes with it.
struct Scratch {
    _root: tempfile::TempDir,
    path: PathBuf,
}

impl Scratch {
    fn path(&self) -> &Path {
        &self.path
    }

    /// One of the launcher's files.
    fn state(&self, name: &str) -> PathBuf {
        self.path.with_file_name(".sortie").join("results").join(name)
    }
}

/// The directory is there, and empty.
fn scratch() -> Scratch {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().canonicalize().unwrap().join("results");
    std::fs::create_dir(&path).unwrap();
    Scratch { _root: root, path }
}

const DONE: Outcome = Outcome::Exited { code: 0 };

fn claim(path: &Path) -> Claim {
    ResultsDir::claim(path, AttemptId::generate()).unwrap()
}

fn ended(outcome: Outcome) -> Ended {
    let (usage, programs) = (Usage::default(), Programs::default());
    Ended { outcome, seconds: Seconds::default(), usage, programs }
}

fn collect(claim: &Claim, outcome: Outcome) -> Results {
    claim.collect(ended(outcome), ReadLimits::default())
}

/// What a good evaluator leaves behind.
fn write_good(path: &Path) {
    std::fs::write(path.join("correct.json"), r#"{"correct": true}"#).unwrap();
    std::fs::write(path.join("metrics.json"), r#"{"combined_score": 1.5}"#).unwrap();
}

/// Runs a program that the test needs, to its end.
#[expect(clippy::disallowed_methods, reason = "the crate under test must not know processes")]
fn run(program: &str, args: &[&str]) {
    let output = std::process::Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}
