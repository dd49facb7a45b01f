//! A sweep's directory, read as it grows.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sortie_report::{Candidate, Report};
use sortie_results::jiff::Timestamp;

use super::ReportError;

/// What `sortie sweep` calls it.
const RESULTS: &str = "results.jsonl";

/// A report that follows a sweep.
pub(super) struct Source {
    results: PathBuf,
    title: String,
    report: Report,
    /// How much of the file is in the report, in bytes: whole lines.
    read: u64,
    /// Which file that was: device and inode.
    file: Option<(u64, u64)>,
    unreadable: usize,
    /// Counts how often what was read no longer held: another file, or a shorter one.
    epoch: u64,
    /// Counts how often there was anything new.
    version: u64,
}

impl Source {
    /// Of that directory, which has to be there.
    pub(super) fn open(dir: &Path) -> Result<Self, ReportError> {
        let read = |source| ReportError::Read { path: dir.to_owned(), source };
        let full = fs::canonicalize(dir).map_err(read)?;
        fs::read_dir(&full).map_err(read)?;
        let title = full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned();
        Ok(Self {
            results: dir.join(RESULTS),
            report: Report::new(title.clone()),
            title,
            read: 0,
            file: None,
            unreadable: 0,
            epoch: 0,
            version: 0,
        })
    }

    pub(super) fn has_results(&self) -> bool {
        self.results.exists()
    }

    pub(super) fn report(&self) -> &Report {
        &self.report
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Takes what has been added since the last time; costs a `stat` where nothing was.
    pub(super) fn refresh(&mut self) -> Result<(), ReportError> {
        self.follow().map_err(|source| ReportError::Read { path: self.results.clone(), source })
    }

    fn follow(&mut self) -> io::Result<()> {
        let metadata = match fs::metadata(&self.results) {
            // A sweep that has only begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.file.is_none() => {
                return Ok(());
            }
            metadata => metadata?,
        };
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let file = Some((metadata.dev(), metadata.ino()));
        if self.file.is_some() && (self.file != file || metadata.len() < self.read) {
            self.start_over();
        }
        self.file = file;
        if metadata.len() > self.read {
            self.take_lines()?;
        }
        Ok(())
    }

    /// A sweep that was taken up again may have mended the file.
    fn start_over(&mut self) {
        self.report = Report::new(self.title.clone());
        (self.read, self.unreadable) = (0, 0);
        self.epoch += 1;
        self.version += 1;
    }

    fn take_lines(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.results)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut reader = BufReader::with_capacity(1 << 17, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            // What has no end yet is still being written.
            if !line.ends_with(b"\n") {
                return Ok(());
            }
            self.read += length as u64;
            self.version += 1;
            match Candidate::from_json(&line) {
                Ok(candidate) => self.report.add(&candidate),
                Err(_) => self.note_unreadable(),
            }
            self.report.written_at = Some(Timestamp::now());
        }
    }

    fn note_unreadable(&mut self) {
        self.unreadable += 1;
        let lines = if self.unreadable == 1 { "line of" } else { "lines of" };
        let note =
            format!("{} {lines} results.jsonl cannot be read and are left out.", self.unreadable);
        self.report.notes = vec![note];
    }
}
