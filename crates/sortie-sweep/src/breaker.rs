//! A circuit breaker: where the set-up fails one candidate after the other, there is no point in going on.

use sortie_results::Fault;
use sortie_results::jiff::Timestamp;

use crate::again::Tombstone;
use crate::files::SweepFiles;
use crate::writer::Read;
use crate::{End, SweepError};

/// So many in a row, all for the same reason, are no accident, even where others got through before. What is wrong with
/// a single candidate, such as its file that is missing, is said in other words each time.
const MOST: usize = 20;

/// What stops a sweep: the last candidates that were done, as far as they failed by the set-up, for one reason.
pub(crate) struct Breaker {
    /// How many it takes to stop; `None` for never.
    most: Option<usize>,
    detail: String,
    /// When the first of them ended.
    since: Option<Timestamp>,
    tombstones: Vec<Tombstone>,
    ends: Vec<End>,
}

impl Breaker {
    /// Of a launcher under which no candidate has ended yet: as few as `first` stop it until one gets through.
    pub(crate) fn new(first: usize) -> Self {
        Self::with((first > 0).then_some(first))
    }

    fn with(most: Option<usize>) -> Self {
        Self { most, detail: String::new(), since: None, tombstones: Vec::new(), ends: Vec::new() }
    }

    /// Of one that is written down. What ran before the first had failed says nothing of how the set-up is now.
    pub(crate) fn hear(&mut self, read: &Read, end: &End) {
        let Read { finish, results, started_at, ended_at, .. } = read;
        let detail = results.detail.as_deref().filter(|_| results.fault == Some(Fault::Setup));
        if detail != Some(&self.detail) {
            // Or it is long enough, and nobody has looked at it yet.
            let ran_before = started_at.is_some() && *started_at < self.since;
            if self.is_long() || ran_before {
                return;
            }
            if results.fault != Some(Fault::Setup) {
                self.most = self.most.map(|_| MOST);
            }
            let detail = detail.unwrap_or_default().to_owned();
            *self = Self { detail, since: *ended_at, ..Self::with(self.most) };
        }
        if detail.is_some() {
            self.tombstones.push(Tombstone::new(&finish.candidate.id, &finish.results_dir));
            self.ends.push(end.clone());
        }
    }

    fn is_long(&self) -> bool {
        self.most.is_some_and(|most| self.tombstones.len() >= most)
    }

    /// Has them run again when the sweep is resumed, and fails, if they are many.
    pub(crate) fn end(&mut self, files: &mut SweepFiles) -> Result<(), SweepError> {
        if !self.is_long() {
            return Ok(());
        }
        let none = Self::with(self.most);
        let Self { detail, tombstones, ends, .. } = std::mem::replace(self, none);
        let failures = tombstones.len();
        files.again(tombstones, &ends)?;
        Err(SweepError::SetUp { failures, detail })
    }
}
