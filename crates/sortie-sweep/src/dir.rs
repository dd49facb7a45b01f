//! The directory of a sweep, to look at.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sortie_results::{Standing, sweep_standing};

use crate::{End, ResultLines, Sweep, SweepError, names};

/// The directory of a sweep. Looking at it takes no lock, and may be done while a launcher sees to it.
#[derive(Debug, Clone)]
pub struct SweepDir(PathBuf);

impl SweepDir {
    /// The directory of that path, be it there or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether there is a sweep in it.
    pub fn is_sweep(&self) -> bool {
        self.ledger_file().is_file()
    }

    /// The results dir of a candidate, by its id.
    pub fn results_dir(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// `results.jsonl`, with a line for each candidate that is done.
    pub fn results_file(&self) -> PathBuf {
        self.0.join(names::RESULTS)
    }

    /// What is to become `results.jsonl`, see [`crate::OpenSweep::again`].
    pub(crate) fn new_results_file(&self) -> PathBuf {
        self.0.join(names::NEW_RESULTS)
    }

    /// `settings.yaml`, the settings of its jobs.
    pub fn settings_file(&self) -> PathBuf {
        self.0.join(names::SETTINGS)
    }

    /// `sweep.log`, what a launcher without a terminal had to say.
    pub fn log_file(&self) -> PathBuf {
        self.0.join(names::LOG)
    }

    /// `ledger.jsonl`.
    pub fn ledger_file(&self) -> PathBuf {
        self.0.join(names::LEDGER)
    }

    /// The [`Lease`](sortie_results::Lease) of the launcher that sees to the sweep.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join(names::LOCK)
    }

    /// Whether a launcher sees to the sweep now.
    pub fn standing(&self) -> Standing {
        sweep_standing(&self.0)
    }

    /// What there is to do, what was begun, and what is done: all that the ledger says.
    pub fn read(&self) -> Result<Sweep, SweepError> {
        let ledger = self.ledger_file();
        let bytes = match fs::read(&ledger) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SweepError::NoSweep { dir: self.0.clone() });
            }
            read => read.map_err(SweepError::io("read", &ledger))?,
        };
        Sweep::parse(&ledger, &bytes)
    }

    /// The settings of its jobs, as text.
    pub fn settings(&self) -> Result<String, SweepError> {
        let path = self.settings_file();
        fs::read_to_string(&path).map_err(SweepError::io("read", &path))
    }

    /// All results there are, in the order in which candidates were done. One that is only half written is left out.
    pub fn results(&self) -> Result<ResultLines, SweepError> {
        let path = self.results_file();
        ResultLines::open(&path).map_err(SweepError::io("open", &path))
    }

    /// The line of one candidate that is done: JSON, without the newline.
    pub fn result(&self, end: &End) -> Result<Vec<u8>, SweepError> {
        let path = self.results_file();
        let read = |path: &Path| {
            let len = usize::try_from(end.len).map_err(|_| io::ErrorKind::OutOfMemory)?;
            let mut line = vec![0; len];
            File::open(path)?.read_exact_at(&mut line, end.offset)?;
            if crc32fast::hash(&line) == end.crc {
                Ok(line)
            } else {
                Err(io::Error::new(io::ErrorKind::InvalidData, "a line is damaged"))
            }
        };
        // For a moment the ledger speaks of the file that is about to take its place.
        let line = read(&path).or_else(|error| read(&self.new_results_file()).map_err(|_| error));
        line.map_err(SweepError::io("read", &path))
    }
}
