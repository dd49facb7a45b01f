//! The files that a sweep writes: its ledger, and the results.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use sortie_results::Results;
use sortie_results::jiff::Timestamp;

use crate::entry::{Entry, NamedEnd};
use crate::{Disk, End, SweepDir, SweepError, line};

/// The ledger and the file of results, open for appending.
pub(crate) struct SweepFiles {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: SweepDir,
    ledger: File,
    pub(crate) results: File,
    /// Where the next line of results starts, in bytes.
    pub(crate) offset: u64,
    /// The member of `metrics.json` that counts.
    score: String,
    /// Whether something was written that a loss of power would take.
    unsynced: bool,
    /// The evaluator that the ledger last named in this session.
    evaluator: Option<Arc<str>>,
}

/// A candidate that is done, to be written down.
pub(crate) struct Done<'a> {
    pub(crate) id: &'a str,
    /// Its line among the results, without the newline.
    pub(crate) line: &'a [u8],
    pub(crate) results: &'a Results,
    pub(crate) evaluator: Option<Arc<str>>,
}

impl SweepFiles {
    /// Of files that are in order, the results `offset` bytes long.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        dir: SweepDir,
        offset: u64,
        score: String,
    ) -> Result<Self, SweepError> {
        let append = |path: std::path::PathBuf| {
            File::options().append(true).open(&path).map_err(SweepError::io("open", &path))
        };
        let (ledger, results) = (append(dir.ledger_file())?, append(dir.results_file())?);
        Ok(Self { disk, dir, ledger, results, offset, score, unsynced: false, evaluator: None })
    }

    /// Adds entries to the ledger, in one step.
    pub(crate) fn note(&mut self, entries: &[Entry]) -> Result<(), SweepError> {
        let mut lines = Vec::new();
        let path = self.dir.ledger_file();
        for entry in entries {
            line::push(&mut lines, entry).map_err(SweepError::io("write", &path))?;
        }
        self.unsynced = true;
        self.disk.append(&self.ledger, &lines).map_err(SweepError::io("write", &path))
    }

    /// Notes that candidates are about to be handed over.
    pub(crate) fn start(&mut self, ids: Vec<String>) -> Result<(), SweepError> {
        self.note(&[Entry::Start { at: Timestamp::now(), ids }])
    }

    /// Writes the lines of candidates that are done, then notes that they are: their ends.
    pub(crate) fn finish(&mut self, done: &[Done<'_>]) -> Result<Vec<End>, SweepError> {
        let mut lines = Vec::new();
        let mut ends = Vec::with_capacity(done.len());
        let mut entries = Vec::with_capacity(done.len());
        for Done { id, line, results, evaluator } in done {
            if self.evaluator != *evaluator {
                let sha256 = evaluator.as_deref().map(str::to_owned);
                entries.push(Entry::Evaluator { sha256 });
                self.evaluator.clone_from(evaluator);
            }
            let offset = self.offset + lines.len() as u64;
            let end = End::new(offset, line, results, &self.score, evaluator.clone());
            lines.extend_from_slice(line);
            lines.push(b'\n');
            entries.push(Entry::End(NamedEnd { id: (*id).to_owned(), end: end.clone() }));
            ends.push(end);
        }
        let path = self.dir.results_file();
        self.unsynced = true;
        self.disk.append(&self.results, &lines).map_err(SweepError::io("write", &path))?;
        self.offset += lines.len() as u64;
        self.note(&entries)?;
        Ok(ends)
    }

    /// Fails if there is no space left, or the directory is not where it was.
    pub(crate) fn is_well(&self) -> Result<(), SweepError> {
        self.is_in_place()?;
        let path = self.dir.path();
        self.disk.has_room(path).map_err(SweepError::io("write into", path))
    }

    /// Fails if what is written goes into files that nobody would find: they were removed, or moved with their directory.
    fn is_in_place(&self) -> Result<(), SweepError> {
        let files =
            [(&self.ledger, self.dir.ledger_file()), (&self.results, self.dir.results_file())];
        for (file, path) in files {
            let is_it = || {
                let [open, there] = [file.metadata()?, fs::metadata(&path)?];
                Ok(open.ino() == there.ino() && open.dev() == there.dev())
            };
            let is_it = is_it().and_then(|is_it| {
                if is_it { Ok(()) } else { Err(io::Error::other("another file is there")) }
            });
            is_it.map_err(SweepError::io("find", &path))?;
        }
        Ok(())
    }

    /// Returns once all that was written would survive a loss of power.
    pub(crate) fn sync(&mut self) -> Result<(), SweepError> {
        self.is_in_place()?;
        if self.unsynced {
            let failed = |path: &std::path::Path| SweepError::io("write", path);
            // In this order, so that no end is there without its line.
            self.disk.sync(&self.results).map_err(failed(&self.dir.results_file()))?;
            self.disk.sync(&self.ledger).map_err(failed(&self.dir.ledger_file()))?;
            self.unsynced = false;
        }
        Ok(())
    }
}
