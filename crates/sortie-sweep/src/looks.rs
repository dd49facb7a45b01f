//! Looking at results dirs of candidates that were begun: beside the runtime, where one that does not answer holds up no other.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sortie_results::AttemptId;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::triage::{Begun, look};

/// If there is no answer for so long, another thread goes on.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many threads may wait for results dirs that do not answer.
const MOST: usize = 32;

/// A candidate that was begun: its place, its results dir, and the attempt of it that is void.
pub(crate) type Started = (usize, PathBuf, Option<AttemptId>);

pub(crate) struct Looks {
    on_cluster: bool,
    todo: Arc<Mutex<VecDeque<Started>>>,
    sender: mpsc::UnboundedSender<(usize, Begun)>,
    answers: mpsc::UnboundedReceiver<(usize, Begun)>,
    /// How many have no answer yet.
    left: usize,
    threads: usize,
}

impl Looks {
    pub(crate) fn new(started: VecDeque<Started>, on_cluster: bool) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let left = started.len();
        let todo = Arc::new(Mutex::new(started));
        Self { on_cluster, todo, sender, answers, left, threads: 0 }
    }

    pub(crate) fn are_left(&self) -> bool {
        self.left > 0
    }

    /// What was found at one of the places; `None` if nothing is for a while, and all are being looked at. May be dropped
    /// and called again.
    pub(crate) async fn next(&mut self) -> Option<(usize, Begun)> {
        loop {
            if self.threads == 0 {
                self.go_on();
            }
            match timeout(PATIENCE, self.answers.recv()).await {
                Ok(found) => {
                    self.left -= 1;
                    return found;
                }
                Err(_) if self.go_on() => {}
                Err(_) => return None,
            }
        }
    }

    /// Has another thread look at those that are left; whether there are any.
    fn go_on(&mut self) -> bool {
        let next = |todo: &Mutex<VecDeque<Started>>| {
            todo.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
        };
        if self.threads == MOST {
            return false;
        }
        let Some(mut one) = next(&self.todo) else { return false };
        self.threads += 1;
        let (todo, sender, on_cluster) = (self.todo.clone(), self.sender.clone(), self.on_cluster);
        spawn_blocking(move || {
            loop {
                let (place, dir, void) = one;
                // Whoever does not wait any more has no use for it.
                let _ = sender.send((place, look(&dir, on_cluster, void)));
                match next(&todo) {
                    Some(another) => one = another,
                    None => return,
                }
            }
        });
        true
    }
}
