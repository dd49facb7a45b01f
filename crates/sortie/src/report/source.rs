//! A sweep's directory, read as it grows.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sortie_report::{Candidate, Report};
use sortie_results::Standing;
use sortie_results::jiff::Timestamp;
use sortie_sweep::{Left, SweepDir};

use super::{ReportError, settings};

/// A report that follows a sweep.
pub(super) struct Source {
    dir: SweepDir,
    title: String,
    report: Report,
    /// How much of the file of results is in the report, in bytes: whole lines.
    read: u64,
    /// Which file that was: device and inode.
    file: Option<(u64, u64)>,
    /// How large the ledger was when it was read.
    ledger: u64,
    /// Whether a launcher saw to the sweep then.
    in_hand: bool,
    unreadable: usize,
    /// Counts how often what was read no longer held: another file, or a shorter one.
    epoch: u64,
    /// Counts how often there was anything new.
    version: u64,
}

impl Source {
    /// Of that directory, which has to be there.
    pub(super) fn open(dir: &Path) -> Result<Self, ReportError> {
        let read = |cause| ReportError::Read { path: dir.to_owned(), cause };
        let full = fs::canonicalize(dir).map_err(read)?;
        fs::read_dir(&full).map_err(read)?;
        let title = full.file_name().unwrap_or(full.as_os_str()).to_string_lossy().into_owned();
        Ok(Self {
            dir: SweepDir::new(dir),
            report: Report::new(title.clone()),
            title,
            read: 0,
            file: None,
            ledger: 0,
            in_hand: false,
            unreadable: 0,
            epoch: 0,
            version: 0,
        })
    }

    /// Whether there is, or was, a sweep here.
    pub(super) fn is_sweep(&self) -> bool {
        self.dir.is_sweep() || self.dir.results_file().exists()
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

    /// Takes what has been added since the last time; costs a `stat` or two where nothing was.
    pub(super) fn refresh(&mut self) -> Result<(), ReportError> {
        let path = self.dir.results_file();
        self.follow().map_err(|cause| ReportError::Read { path, cause })
    }

    fn follow(&mut self) -> io::Result<()> {
        let metadata = match fs::metadata(self.dir.results_file()) {
            // A sweep that has only begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.file.is_none() => {
                self.follow_ledger();
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
        // First, as it says what candidates are ranked by.
        self.follow_ledger();
        if metadata.len() > self.read {
            self.take_lines()?;
        }
        Ok(())
    }

    /// A sweep that was taken up again may have mended the file.
    fn start_over(&mut self) {
        self.report = Report::new(self.title.clone());
        (self.read, self.ledger, self.unreadable) = (0, 0, 0);
        self.epoch += 1;
        self.version += 1;
    }

    /// What there is to do, and with what settings: where the ledger says so. Without one there are results all
    /// the same.
    fn follow_ledger(&mut self) {
        // Who is there first: what is written meanwhile is seen.
        let in_hand = matches!(self.dir.standing(), Standing::Held(_) | Standing::Unknown(_));
        let length = fs::metadata(self.dir.ledger_file()).map_or(0, |metadata| metadata.len());
        if length == self.ledger && in_hand == self.in_hand {
            return;
        }
        let Ok(sweep) = self.dir.read() else { return };
        if self.ledger == 0 {
            self.report.ranked_by.clone_from(&sweep.header.options.score);
            let settings = self.dir.settings().ok();
            self.report.settings = settings.and_then(|text| settings::shown(text).ok());
        }
        let left = Left::of(&sweep, in_hand);
        (self.report.waiting, self.report.begun) = (left.waiting, left.started);
        (self.ledger, self.in_hand) = (length, in_hand);
        self.version += 1;
    }

    fn take_lines(&mut self) -> io::Result<()> {
        let mut file = File::open(self.dir.results_file())?;
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
        let note = match self.unreadable {
            1 => "1 line of results.jsonl cannot be read and is left out.".to_owned(),
            lines => format!("{lines} lines of results.jsonl cannot be read and are left out."),
        };
        self.report.notes = vec![note];
    }
}
