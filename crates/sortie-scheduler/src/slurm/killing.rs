//! Slurm's word in a file that it kills a job for its memory. It comes before anything else tells, as such a job leaves no record.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sortie_results::ResultsDir;

use super::outcome::says_out_of_memory;

/// One of so many calls looks at the file: by one system call, unless it has changed.
const LOOK: u32 = 5;
/// How much of its end is read, in bytes.
const LAST_WORDS: u64 = 4096;

/// The file of one job that Slurm writes its messages to.
pub(super) struct Killing {
    dir: PathBuf,
    name: String,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: u32,
    bytes: u64,
    told: bool,
}

impl Killing {
    /// By the file of that name in the directory.
    pub(super) fn by(dir: PathBuf, name: String) -> Self {
        Self { dir, name, seen: Mutex::default() }
    }

    /// Whether Slurm says so by now. It is told once, and not looked for any more then: what an evaluator writes may look
    /// like it.
    pub(super) fn is_new(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.calls = seen.calls.wrapping_add(1);
        if seen.told || !seen.calls.is_multiple_of(LOOK) {
            return false;
        }
        let bytes = self.dir.join(&self.name).symlink_metadata().map_or(0, |file| file.len());
        if std::mem::replace(&mut seen.bytes, bytes) != bytes {
            let words = ResultsDir::tail_of(&self.dir, &self.name, LAST_WORDS);
            seen.told = says_out_of_memory(&words.text());
        }
        seen.told
    }
}
