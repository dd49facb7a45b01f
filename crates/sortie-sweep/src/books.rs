//! The files that a sweep writes: its ledger, and the results.

use std::fs::File;
use std::sync::Arc;

use sortie_results::Results;
use sortie_results::jiff::Timestamp;

use crate::entry::{Entry, NamedEnd};
use crate::{Disk, End, SweepDir, SweepError, line};

/// The ledger and the file of results, open for appending.
pub(crate) struct Books {
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
}

/// A candidate that is done, to be written down.
pub(crate) struct Done<'a> {
    pub(crate) id: &'a str,
    /// Its line among the results, without the newline.
    pub(crate) line: &'a [u8],
    pub(crate) results: &'a Results,
}

impl Books {
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
        Ok(Self { disk, dir, ledger, results, offset, score, unsynced: false })
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
        for Done { id, line, results } in done {
            let end = End::new(self.offset + lines.len() as u64, line, results, &self.score);
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

    /// Fails if there is no space left.
    pub(crate) fn has_room(&self) -> Result<(), SweepError> {
        let path = self.dir.path();
        self.disk.has_room(path).map_err(SweepError::io("write into", path))
    }

    /// Returns once all that was written would survive a loss of power.
    pub(crate) fn sync(&mut self) -> Result<(), SweepError> {
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
