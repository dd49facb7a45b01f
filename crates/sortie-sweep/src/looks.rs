//! Looking at results dirs of candidates that were begun: beside the runtime, where one that does not answer holds up no other.

use std::collections::VecDeque;
use std::path::PathBuf;

use sortie_blocking::{Answered, BlockingPool};
use sortie_results::AttemptId;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::reads::{MOST, PATIENCE};
use crate::recovery::{Begun, look};

/// A candidate that was begun: its place, its results dir, and the attempt of it that counts no more.
pub(crate) type Started = (usize, PathBuf, Option<AttemptId>);

pub(crate) struct Looks {
    pool: BlockingPool,
    answered: Answered,
    answers: mpsc::UnboundedReceiver<(usize, Begun)>,
    /// How many have no answer yet.
    left: usize,
}

impl Looks {
    pub(crate) fn new(started: VecDeque<Started>, on_cluster: bool) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let (pool, left) = (BlockingPool::new(1, MOST), started.len());
        for (place, dir, dead) in started {
            let sender = sender.clone();
            pool.queue(move || {
                // Whoever does not wait any more has no use for it.
                if !sender.is_closed() {
                    let _ = sender.send((place, look(&dir, on_cluster, dead)));
                }
            });
        }
        Self { pool, answered: Answered::default(), answers, left }
    }

    pub(crate) fn are_left(&self) -> bool {
        self.left > 0
    }

    /// What was found at one of the places; `None` if nothing is for a while, and nothing can be done about it. May be dropped
    /// and called again.
    pub(crate) async fn next(&mut self) -> Option<(usize, Begun)> {
        loop {
            match timeout(PATIENCE, self.answers.recv()).await {
                Ok(found) => {
                    self.left -= 1;
                    return found;
                }
                Err(_) if self.pool.is_stuck(self.answered) => return None,
                Err(_) => self.answered = self.pool.go_on(self.answered),
            }
        }
    }
}
