//! What jobs that ended last have left, as far as there is room in memory: whoever takes it soon need not read files again that
//! were read a moment ago.

use std::collections::BTreeMap;

use crate::JobId;

/// What takes more than this part of the room is not kept, so that there is room for a good number.
const PART: usize = 64;

pub(crate) struct Recent<T> {
    /// How much room there is, in bytes.
    room: usize,
    /// How much of it is taken.
    taken: usize,
    /// With how much each takes.
    kept: BTreeMap<JobId, (usize, T)>,
}

impl<T> Recent<T> {
    pub(crate) fn new(room: usize) -> Self {
        Self { room, taken: 0, kept: BTreeMap::new() }
    }

    /// Keeps what takes so many bytes, in the place of what is kept of the jobs submitted first.
    pub(crate) fn keep(&mut self, job: JobId, bytes: usize, left: T) {
        if bytes > self.room / PART {
            return;
        }
        self.taken += bytes;
        self.kept.insert(job, (bytes, left));
        while self.taken > self.room
            && let Some((_, (bytes, _))) = self.kept.pop_first()
        {
            self.taken -= bytes;
        }
    }

    pub(crate) fn take(&mut self, job: JobId) -> Option<T> {
        let (bytes, left) = self.kept.remove(&job)?;
        self.taken -= bytes;
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_make_room_and_what_is_large_is_not_kept() {
        let mut recent = Recent::new(640);
        for job in 1..=200 {
            recent.keep(JobId(job), 10, job);
        }
        assert_eq!((recent.taken, recent.kept.len()), (640, 64));
        assert_eq!(
            [136, 137, 200].map(|job| recent.take(JobId(job))),
            [None, Some(137), Some(200)]
        );
        assert_eq!((recent.take(JobId(200)), recent.taken), (None, 620));
        recent.keep(JobId(201), 11, 201);
        assert_eq!(recent.take(JobId(201)), None);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut recent = Recent::new(0);
        recent.keep(JobId(1), 1, ());
        assert_eq!(recent.take(JobId(1)), None);
    }
}
