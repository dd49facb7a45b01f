//! The record of an attempt, `job.json`.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::{
    fs::{AtFlags, Stat, statat},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    AttemptId, Claim, ClaimError, Ended, Fault, Found, Outcome, Place, Programs, ReadLimits,
    Results, Seconds, Start, Unusable, Usage, Verdict,
    dir::{Dir, read_whole},
    end, leftovers, names,
    place::Layout,
    unusable::in_dir,
};

/// The version of the form below. A reader refuses any other.
const VERSION: u32 = 1;
/// A record is as large as its command line, which Linux holds to a few MiB.
const MAX_BYTES: u64 = 16 << 20;
/// Room for most records, in bytes.
const ENOUGH: usize = 4 << 10;

/// What an attempt was, for its record. What became of it is in its [`Results`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The candidate's path.
    pub candidate: PathBuf,
    /// The command line, the program first; empty if it never came to one.
    pub command: Vec<OsString>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// When the attempt was started, if it was.
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    pub ended_at: Timestamp,
    /// How many processes it left behind that had to be killed.
    pub stragglers: u32,
    /// What kept its processes together, as in `subreaper`.
    pub protection: Vec<String>,
    /// The machine it ran on.
    pub host: String,
    /// The SHA-256 of the evaluator's file, see [`Record::evaluator_sha256`].
    pub evaluator_sha256: Option<String>,
    /// How much its launcher read of what it left.
    pub read_limits: ReadLimits,
}

/// The record of an attempt, kept as `job.json` in the launcher's directory, see [`Place`], and for people in its results
/// dir.
///
/// Paths and arguments are text here; what is not UTF-8 in them is U+FFFD. Times are in UTC
/// (RFC 3339).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form: 1.
    pub version: u32,
    /// Which attempt it is of.
    pub attempt: AttemptId,
    /// The candidate's path.
    pub candidate: String,
    /// The results dir's path, as it was given.
    pub results_dir: String,
    /// The command line, the program first; empty if it never came to one.
    pub command: Vec<String>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// When the attempt was started, if it was.
    pub started_at: Option<Timestamp>,
    /// When it had ended.
    pub ended_at: Timestamp,
    /// How long it took.
    pub seconds: Seconds,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose fault it is, if something went wrong.
    pub fault: Option<Fault>,
    /// What went wrong, in one line.
    pub detail: Option<String>,
    /// Whether the candidate is correct.
    pub correct: bool,
    /// What its processes used.
    pub usage: Usage,
    /// How many processes it left behind that had to be killed.
    pub stragglers: u32,
    /// What kept its processes together.
    pub protection: Vec<String>,
    /// The machine it ran on.
    pub host: String,
    /// The SHA-256 of the evaluator's file, in hexadecimal digits: as the file stood when the attempt was about to be started,
    /// or handed to a cluster. What the evaluator reads or imports is not part of it. `None` where it is not known, and in
    /// records of before there was this.
    #[serde(default)]
    pub evaluator_sha256: Option<String>,
    /// How its evaluator was started; `None` for one that a cluster started, one that was not started, and in records of
    /// before there was this.
    #[serde(default)]
    pub start: Option<Start>,
    /// How much its launcher read of what it left, which whoever reads it again may read, too; `None` in records of before
    /// there was this.
    #[serde(default)]
    pub read_limits: Option<ReadLimits>,
}

impl Record {
    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        let command = self.command.iter().map(|arg| size_of::<String>() + arg.len());
        let detail = self.detail.as_ref().map_or(0, String::len);
        let texts = self.candidate.len() + self.results_dir.len() + detail;
        size_of::<Self>() + command.sum::<usize>() + texts
    }
}

impl Claim {
    /// Writes the attempt's record, in one step: there is all of it, or nothing. It is in the launcher's directory; the
    /// results dir gets a copy for people, as the last deed and if it can be made.
    pub fn record(&self, run: &Run, results: &Results) -> Result<Record, RecordError> {
        let record = Record::new(self.path(), run, results);
        record.write(&self.place, &self.state)?;
        Ok(record)
    }
}

impl Record {
    pub(crate) fn write(&self, place: &Place, state: &Dir) -> Result<(), RecordError> {
        let path = || state.path.join(names::RECORD);
        let mut json = Vec::with_capacity(ENOUGH);
        serde_json::to_writer_pretty(&mut json, self)
            .map_err(|error| RecordError::malformed(path(), &error))?;
        json.push(b'\n');
        let replaced = match state.replace(names::RECORD, &json) {
            // The evaluator has made a directory of that name, where it may write to the launcher's.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                leftovers::move_record_away(state)?;
                state.replace(names::RECORD, &json)
            }
            replaced => replaced,
        };
        replaced.map_err(|cause| RecordError::Unwritable { path: path(), cause })?;
        if place.layout != Layout::Old
            && let Ok(results) = place.open_results()
        {
            // Whoever reads it has the record, as long as the launcher's directory is beside this one.
            let _ = copy_for_user(state, &results, &json);
        }
        Ok(())
    }
}

/// Puts the record into the results dir, in the place of whatever has its name there.
fn copy_for_user(state: &Dir, results: &Dir, json: &[u8]) -> Result<(), RecordError> {
    let link = || {
        let (from, to) = (&state.file, &results.file);
        rustix::fs::linkat(from, names::RECORD, to, names::RECORD, AtFlags::empty())
    };
    match link() {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => {
            leftovers::move_record_away(results)?;
            link().map_err(io::Error::from)
        }
        // Not every file system has links.
        Err(_) => results.replace(names::RECORD, json),
    }
    .map_err(|cause| RecordError::Unwritable { path: results.path.join(names::RECORD), cause })
}

impl Record {
    pub(crate) fn new(results_dir: &Path, run: &Run, results: &Results) -> Self {
        let command = run.command.iter().map(|argument| argument.to_string_lossy().into_owned());
        Self {
            version: VERSION,
            attempt: results.attempt,
            candidate: run.candidate.to_string_lossy().into_owned(),
            results_dir: results_dir.to_string_lossy().into_owned(),
            command: command.collect(),
            submitted_at: run.submitted_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            seconds: results.seconds,
            outcome: results.outcome.clone(),
            fault: results.fault,
            detail: results.detail.clone(),
            correct: results.correct,
            usage: results.usage,
            stragglers: run.stragglers,
            protection: run.protection.clone(),
            host: run.host.clone(),
            evaluator_sha256: run.evaluator_sha256.clone(),
            start: results.start.clone(),
            read_limits: Some(run.read_limits),
        }
    }

    /// Reads the record of the last attempt that ended in a results dir.
    pub fn read(results_dir: &Path) -> Result<Self, RecordError> {
        Self::of(&open_state(&Place::of(results_dir))?)
    }

    pub(crate) fn of(dir: &Dir) -> Result<Self, RecordError> {
        Self::opened(dir).map(|(record, _)| record)
    }

    /// The same with the open file, which tells this record from one that is put in its place.
    fn opened(dir: &Dir) -> Result<(Self, Opened), RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let path = || dir.path.join(names::RECORD);
        let read = || {
            let (file, stat) = dir.open_plain(names::RECORD)?;
            let json = read_whole(&file, stat.st_size.unsigned_abs(), MAX_BYTES)?;
            Ok((json, Opened { _file: file, stat }))
        };
        let (json, opened) =
            read().map_err(|cause| RecordError::Unusable { path: path(), cause })?;
        let malformed = |error| RecordError::malformed(path(), &error);
        let Versioned { version } = serde_json::from_slice(&json).map_err(malformed)?;
        if version != VERSION {
            return Err(RecordError::Version { path: path(), version });
        }
        Ok((serde_json::from_slice(&json).map_err(malformed)?, opened))
    }
}

/// The file of a record. While it is open, no other file has its number.
struct Opened {
    _file: File,
    stat: Stat,
}

impl Opened {
    /// Whether the record in that directory is still this one, which is never written to.
    fn is_in(&self, dir: &Dir) -> bool {
        let now = statat(&dir.file, names::RECORD, AtFlags::SYMLINK_NOFOLLOW);
        now.is_ok_and(|now| (now.st_dev, now.st_ino) == (self.stat.st_dev, self.stat.st_ino))
    }
}

/// Reads an attempt that has ended from its results dir: its record, which holds the verdict, and the
/// files as they are now.
///
/// What an earlier attempt left is in the results dir's `previous/`, and read by that path.
pub fn load(
    results_dir: &Path,
    expected: Option<AttemptId>,
    limits: ReadLimits,
) -> Result<(Record, Results), RecordError> {
    let place = Place::of(results_dir);
    let state = open_state(&place)?;
    let (record, opened) = Record::opened(&state)?;
    let must_be = |expected: AttemptId, found: AttemptId| {
        let path = state.path.join(names::RECORD);
        if found == expected {
            Ok(())
        } else {
            Err(RecordError::OtherAttempt { path, found, expected })
        }
    };
    must_be(expected.unwrap_or(record.attempt), record.attempt)?;
    let ended = Ended {
        outcome: record.outcome.clone(),
        seconds: record.seconds,
        usage: record.usage,
        programs: Programs::default(), // it is judged already
    };
    let verdict =
        Verdict { correct: record.correct, fault: record.fault, detail: record.detail.clone() };
    let results = place.open_results().ok();
    let logs = [names::STDOUT, names::STDERR]
        .map(|name| end::tail(results.as_ref(), &state, name, limits));
    let kept = state.open_in(names::AT_END).ok();
    let found = match kept.as_ref().or(results.as_ref()) {
        // What was refused then is not read now.
        Some(dir) if record.fault.is_some() => dir.find(limits.max_result_bytes),
        Some(dir) => dir.find_again(limits.max_result_bytes),
        None => Found { correct: Err(Unusable::Missing), metrics: Err(Unusable::Missing) },
    };
    // Else another attempt may have begun meanwhile, and the files be its own.
    if !opened.is_in(&state) {
        must_be(record.attempt, Record::of(&state)?.attempt)?;
    }
    let mut results = Results::new(record.attempt, ended, verdict, found, logs);
    results.start.clone_from(&record.start);
    Ok((record, results))
}

pub(crate) fn open_state(place: &Place) -> Result<Dir, RecordError> {
    let dir = place.open_state();
    dir.map_err(|cause| RecordError::Dir { path: place.state.clone(), cause })
}

/// Why the record of an attempt cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The results dir is not there, or may not be read.
    #[error("{}", in_dir("open the results dir", path, cause))]
    Dir {
        /// The results dir.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It could not be written; nothing of it is left.
    #[error("cannot write {}: {cause}", .path.display())]
    Unwritable {
        /// The record.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The evaluator left a directory in its place, which cannot be moved away.
    #[error(transparent)]
    InTheWay(#[from] ClaimError),
    /// It is missing, as the attempt has not ended, or it cannot be read.
    #[error("{} {cause}", .path.display())]
    Unusable {
        /// The record.
        path: PathBuf,
        /// Why.
        cause: Unusable,
    },
    /// It is no record, or not all of one.
    #[error("{} is not the record of an attempt: {problem}", .path.display())]
    Malformed {
        /// The record.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// It was written by a later sortie.
    #[error("{} is of version {version}; this sortie reads version {VERSION}", .path.display())]
    Version {
        /// The record.
        path: PathBuf,
        /// The version it says.
        version: u32,
    },
    /// It is of another attempt than the one asked for.
    #[error("{} is of attempt {found}, not of {expected}", .path.display())]
    OtherAttempt {
        /// The record.
        path: PathBuf,
        /// Whose it is.
        found: AttemptId,
        /// Whose it should be.
        expected: AttemptId,
    },
}

impl RecordError {
    pub(crate) fn malformed(path: PathBuf, error: &serde_json::Error) -> Self {
        Self::Malformed { path, problem: error.to_string() }
    }
}
