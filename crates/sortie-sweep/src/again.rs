//! Candidates that are done, and are to be run again: their lines are taken out of the results.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sortie_results::jiff::Timestamp;
use sortie_results::{AttemptId, Record};

use crate::entry::Entry;
use crate::files::SweepFiles;
use crate::sweep::places;
use crate::{Disk, End, OpenSweep, State, SweepError};

/// How much is copied at once, in bytes.
const AT_ONCE: usize = 1 << 20;

/// Says that the end of a candidate counts no more: it is to be run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    pub(crate) id: String,
    /// The attempt that its results dir has a record of, which counts no more.
    pub(crate) attempt: Option<AttemptId>,
}

impl Tombstone {
    pub(crate) fn new(id: &str, results_dir: &Path) -> Self {
        let attempt = Record::read(results_dir).ok().map(|record| record.attempt);
        Self { id: id.to_owned(), attempt }
    }
}

impl OpenSweep {
    /// Has candidates run again that are done, those with such an end: how many there are. What their last attempts left
    /// goes into `previous/` in their results dirs when the next ones begin.
    ///
    /// # Errors
    ///
    /// A file of the sweep that cannot be read or written. Then either none is run again, or, where only the last step
    /// failed, all are: when it is next resumed.
    pub fn again(&mut self, is_meant: impl Fn(&End) -> bool) -> Result<usize, SweepError> {
        let Self { dir, sweep, files, .. } = self;
        let ends = sweep.candidates.iter().zip(&sweep.states);
        let ends = ends.filter_map(|(candidate, state)| Some((candidate, state.end()?)));
        let (tombstones, ends): (Vec<_>, Vec<_>) = ends
            .filter(|(_, end)| is_meant(end))
            .map(|(candidate, end)| {
                let id = &candidate.id;
                (Tombstone::new(id, &dir.results_dir(id)), end.clone())
            })
            .unzip();
        if !tombstones.is_empty() {
            files.again(tombstones.clone(), &ends)?;
            forget(&places(&sweep.candidates), &mut sweep.states, &mut sweep.dead, &tombstones);
        }
        Ok(tombstones.len())
    }
}

/// Takes it that those are to be run again, and that their lines are gone: the lines behind them move up.
pub(crate) fn forget(
    places: &HashMap<&str, usize>,
    states: &mut [State],
    dead: &mut HashMap<usize, AttemptId>,
    tombstones: &[Tombstone],
) {
    // Where their lines started, and how long they and those before them were, in bytes.
    let mut gone = BTreeMap::new();
    for Tombstone { id, attempt } in tombstones {
        let Some(place) = places.get(id.as_str()).copied() else { continue };
        if let State::Ended(end) = std::mem::replace(&mut states[place], State::Waiting) {
            gone.insert(end.offset, end.next_offset() - end.offset);
        }
        dead.extend(attempt.map(|attempt| (place, attempt)));
    }
    let mut sum = 0;
    for len in gone.values_mut() {
        sum += *len;
        *len = sum;
    }
    for state in states {
        if let State::Ended(end) = state {
            let before = gone.range(..end.offset).next_back();
            end.offset = end.offset.saturating_sub(before.map_or(0, |(_, len)| *len));
        }
    }
}

impl SweepFiles {
    /// Takes lines out of the results, and notes that their candidates are to be run again: both or neither, whenever it
    /// is interrupted. What is left is written to a file beside the results, which takes their place once that is noted;
    /// of the two, the one that the ledger speaks of is the one that counts.
    pub(crate) fn again(
        &mut self,
        tombstones: Vec<Tombstone>,
        ends: &[End],
    ) -> Result<(), SweepError> {
        self.sync()?;
        let (old, new) = (self.dir.results_file(), self.dir.new_results_file());
        let mut gone: Vec<_> = ends.iter().map(|end| (end.offset, end.next_offset())).collect();
        gone.sort_unstable();
        let file = self.disk.create(&new).map_err(SweepError::io("create", &new))?;
        let copied = copy_without(&*self.disk, &old, &file, &gone);
        let copied = copied.and_then(|len| self.disk.sync(&file).map(|()| len));
        let copied = copied.and_then(|len| self.disk.sync_dir(self.dir.path()).map(|()| len));
        let len = copied.map_err(SweepError::io("write", &new))?;
        self.note(&[Entry::Again { at: Timestamp::now(), candidates: tombstones }])?;
        self.sync()?;
        let placed = self.disk.rename(&new, &old);
        let placed = placed.and_then(|()| self.disk.sync_dir(self.dir.path()));
        placed.map_err(SweepError::io("write", &old))?;
        (self.results, self.offset) = (file, len);
        Ok(())
    }
}

/// Copies a file, but for what lies between these offsets, which ascend: how long the copy is, in bytes.
fn copy_without(
    disk: &dyn Disk,
    from: &Path,
    to: &fs::File,
    gone: &[(u64, u64)],
) -> io::Result<u64> {
    let mut file = fs::File::open(from)?;
    let len = file.metadata()?.len();
    let (mut at, mut copied) = (0, 0);
    let mut bytes = Vec::new();
    for (start, next) in gone.iter().copied().chain([(len, len)]) {
        file.seek(SeekFrom::Start(at))?;
        let mut kept = (&mut file).take(start.saturating_sub(at));
        while kept.limit() > 0 {
            let room = AT_ONCE.saturating_sub(bytes.len()).max(1);
            let read = kept.by_ref().take(room as u64).read_to_end(&mut bytes)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            copied += read as u64;
            if bytes.len() >= AT_ONCE {
                disk.append(to, &bytes)?;
                bytes.clear();
            }
        }
        at = next;
    }
    disk.append(to, &bytes)?;
    Ok(copied)
}
