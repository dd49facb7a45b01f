//! What a sweep leaves, as far as a report reads it.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use std::sync::Arc;

use serde_json::Value;
use sortie_sweep::{Candidate, NewSweep, OpenSweep, Options, RealDisk, SweepDir};

use super::lines;
pub(super) use super::lines::{failed, line};
use crate::stage::Stage;

/// A sweep of so many, one in ten of which failed; the last has the best score.
pub(super) fn of(stage: &Stage, candidates: u32) {
    write(stage, lines::many(candidates));
}

pub(super) fn write(stage: &Stage, lines: impl Iterator<Item = Value>) {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    stage.write("sweep/results.jsonl", text);
}

/// Adds text to the file, as a sweep does.
pub(super) fn append(stage: &Stage, text: &str) {
    let path = stage.path("sweep/results.jsonl");
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A sweep as it is before anything has run.
pub(super) fn begin(stage: &Stage, settings: &str, candidates: u32) {
    let candidate = |number| Candidate {
        id: format!("gen-{number:05}"),
        path: stage.path(format!("gen_{number}.py")),
        args: Vec::new(),
    };
    let new = NewSweep {
        settings,
        cwd: stage.dir().to_owned(),
        options: Options::default(),
        candidates: (0..candidates).map(candidate).collect(),
    };
    OpenSweep::create(SweepDir::new(stage.path("sweep")), new, Arc::new(RealDisk)).unwrap();
}
