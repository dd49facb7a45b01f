//! A mark in the environment of all processes of a run, by which those that are left can be found.

use std::{fmt, fs, io};

use sortie_config::EnvironmentPolicy;
use sortie_results::AttemptId;

const VARIABLE: &str = "SORTIE_DEMO";

/// A variable with a value that no other process has: children inherit it, wherever they go.
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Self {
        Self(AttemptId::generate().to_string())
    }

    /// Marks the jobs with this environment.
    pub(super) fn set(&self, environment: &mut EnvironmentPolicy) {
        environment.set.insert(VARIABLE.to_owned(), self.0.clone());
    }

    /// How many processes of this machine have it.
    pub(super) fn count(&self) -> io::Result<usize> {
        let marked = |entry: io::Result<fs::DirEntry>| {
            // Those that end meanwhile, or are not ours to look at, are not marked.
            let environment = fs::read(entry.ok()?.path().join("environ")).ok()?;
            let mark = self.to_string();
            environment.split(|byte| *byte == 0).find(|entry| *entry == mark.as_bytes()).map(drop)
        };
        Ok(fs::read_dir("/proc")?.filter_map(marked).count())
    }
}

/// As it is in the environment.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VARIABLE}={}", self.0)
    }
}
