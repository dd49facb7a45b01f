//! Keeping a command's logs within their limit.
//!
//! A command writes its logs straight to their files, which costs nothing and loses nothing, so their
//! size can only be looked at: often when a log is near its limit, seldom when it is far from it.

use std::fs::File;
use std::time::{Duration, Instant};

/// The bytes a command can hardly write to a file in less than a millisecond (8 GB/s).
const PER_MILLISECOND: u64 = 8 << 20;
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(500);

/// The two logs of a command, and the size neither may exceed.
pub(crate) struct Logs {
    files: [File; 2],
    limit: u64,
    next_look: Instant,
}

impl Logs {
    pub(crate) fn new(files: [File; 2], limit: u64) -> Self {
        let mut logs = Self { files, limit, next_look: Instant::now() };
        logs.schedule(0);
        logs
    }

    pub(crate) fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Looks, if it is time to; whether a log has outgrown the limit.
    pub(crate) fn too_large(&mut self, now: Instant) -> bool {
        if now < self.next_look {
            return false;
        }
        let size = self.largest();
        self.schedule(size);
        size > self.limit
    }

    /// Cuts what is beyond the limit, once nobody writes any more; whether there was any.
    pub(crate) fn cut(&self) -> bool {
        let too_large = self.largest() > self.limit;
        if too_large {
            for file in self.files.iter().filter(|file| size(file) > self.limit) {
                let _ = file.set_len(self.limit);
            }
        }
        too_large
    }

    fn largest(&self) -> u64 {
        self.files.iter().map(size).max().unwrap_or(0)
    }

    fn schedule(&mut self, size: u64) {
        let left = self.limit.saturating_sub(size);
        let soonest_reached = Duration::from_millis(left / PER_MILLISECOND);
        self.next_look = Instant::now() + soonest_reached.clamp(SOONEST, LATEST);
    }
}

/// The size of a regular file; a pipe or terminal has none.
fn size(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
