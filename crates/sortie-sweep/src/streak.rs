//! The set-up fails one candidate after the other: there is no point in going on.

use sortie_results::Fault;
use sortie_results::jiff::Timestamp;

use crate::again::Void;
use crate::books::Books;
use crate::scribe::Read;
use crate::{End, SweepError};

/// So many in a row, all for the same reason, are no accident. What is wrong with a single candidate, such as its file
/// that is missing, is said in other words each time.
const MOST: usize = 20;

/// The last candidates that were done, as far as they failed by the set-up, for one reason.
#[derive(Default)]
pub(crate) struct Streak {
    detail: String,
    /// When the first of them ended.
    since: Option<Timestamp>,
    voids: Vec<Void>,
    ends: Vec<End>,
}

impl Streak {
    /// Of one that is written down. What ran before the first had failed says nothing of how the set-up is now.
    pub(crate) fn hear(&mut self, read: &Read, end: &End) {
        let Read { finish, results, started_at, ended_at, .. } = read;
        let detail = results.detail.as_deref().filter(|_| results.fault == Some(Fault::Setup));
        if detail != Some(&self.detail) {
            // Or it is long enough, and nobody has looked at it yet.
            let ran_before = started_at.is_some() && *started_at < self.since;
            if self.voids.len() >= MOST || ran_before {
                return;
            }
            let detail = detail.unwrap_or_default().to_owned();
            *self = Self { detail, since: *ended_at, ..Self::default() };
        }
        if detail.is_some() {
            self.voids.push(Void::new(&finish.candidate.id, &finish.results_dir));
            self.ends.push(end.clone());
        }
    }

    /// Has them run again when the sweep is resumed, and fails, if they are many.
    pub(crate) fn end(&mut self, books: &mut Books) -> Result<(), SweepError> {
        if self.voids.len() < MOST {
            return Ok(());
        }
        let Self { detail, voids, ends, .. } = std::mem::take(self);
        let failures = voids.len();
        books.again(voids, &ends)?;
        Err(SweepError::SetUp { failures, detail })
    }
}
