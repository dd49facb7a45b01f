//! What a launcher that was killed left half written, cut off.
//!
//! Nothing is lost that was acknowledged: an end is noted after its line was written, and what has no end is looked for
//! in the results dirs.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use sortie_results::jiff::Timestamp;

use crate::entry::Entry;
use crate::{Disk, End, State, Sweep, SweepDir, SweepError, line};

/// Cuts the ledger after its last whole line, and the results after the last line that the ledger and the file agree
/// on. Answers with what is left, and how long the results are, in bytes.
pub(crate) fn repair(dir: &SweepDir, disk: &dyn Disk) -> Result<(Sweep, u64), SweepError> {
    let mut sweep = dir.read()?;
    let ledger = open(&dir.ledger_file())?;
    cut(disk, &ledger, &dir.ledger_file(), sweep.whole)?;
    place_new_results(dir, disk, &sweep)?;
    let path = dir.results_file();
    let whole = whole(&path, &sweep).map_err(SweepError::io("read", &path))?;
    let beyond = |state: &&mut State| state.end().is_some_and(|end| end.next_offset() > whole);
    let at = Timestamp::now();
    let beyond: Vec<_> = sweep.states.iter_mut().filter(beyond).collect();
    if !beyond.is_empty() {
        // Before the file is cut: or other lines could come to stand where these ends say theirs are.
        let mut note = Vec::new();
        let written = line::push(&mut note, &Entry::Cut { at, offset: whole });
        let written = written.and_then(|()| disk.append(&ledger, &note));
        let synced = written.and_then(|()| disk.sync(&ledger));
        synced.map_err(SweepError::io("write", &dir.ledger_file()))?;
    }
    for state in beyond {
        *state = State::Started { at };
    }
    cut(disk, &open(&path)?, &path, whole)?;
    Ok((sweep, whole))
}

/// Puts results without the lines of those that are run again in their place, if that was noted and not done yet: then
/// they are what the ledger speaks of.
fn place_new_results(dir: &SweepDir, disk: &dyn Disk, sweep: &Sweep) -> Result<(), SweepError> {
    let (old, new) = (dir.results_file(), dir.new_results_file());
    if !new.exists() {
        return Ok(());
    }
    let all = sweep.states.iter().filter_map(State::end).map(End::next_offset).max();
    let agrees = |path: &Path| {
        let whole = whole(path, sweep).map_err(SweepError::io("read", path))?;
        Ok::<_, SweepError>(whole == all.unwrap_or(0) && len(path) == whole)
    };
    if agrees(&new)? && !agrees(&old)? {
        let placed = disk.rename(&new, &old).and_then(|()| disk.sync_dir(dir.path()));
        placed.map_err(SweepError::io("repair", &old))
    } else {
        // It was not noted. That it stays there would do no harm.
        let _ = fs::remove_file(&new);
        Ok(())
    }
}

/// How long a file is, in bytes; 0 if there is none.
fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn open(path: &Path) -> Result<File, SweepError> {
    // The file of results may be missing: somebody has removed it to have it written again.
    let opened = File::options().append(true).create(true).open(path);
    opened.map_err(SweepError::io("open", path))
}

fn cut(disk: &dyn Disk, file: &File, path: &Path, len: u64) -> Result<(), SweepError> {
    let cut = || {
        if file.metadata()?.len() > len {
            disk.truncate(file, len)?;
            disk.sync(file)?;
        }
        Ok(())
    };
    cut().map_err(SweepError::io("repair", path))
}

/// How much of the file of results is lines that ends speak of, from its start on, in bytes.
fn whole(path: &Path, sweep: &Sweep) -> io::Result<u64> {
    let mut ends: Vec<&End> = sweep.states.iter().filter_map(State::end).collect();
    ends.sort_unstable_by_key(|end| end.offset);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let len = file.metadata()?.len();
    let mut file = BufReader::with_capacity(1 << 18, file);
    let (mut whole, mut line) = (0, Vec::new());
    for end in ends {
        if end.offset != whole || end.next_offset() > len {
            break;
        }
        line.clear();
        (&mut file).take(end.len + 1).read_to_end(&mut line)?;
        if line.pop() != Some(b'\n') || crc32fast::hash(&line) != end.crc {
            break;
        }
        whole = end.next_offset();
    }
    Ok(whole)
}
