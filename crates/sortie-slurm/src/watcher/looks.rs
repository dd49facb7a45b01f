//! Looks for records: one job after the other, on a thread that may block. Where a file system does not answer, another
//! thread looks at the other jobs.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::Look;
use crate::{Evidence, JobId};

/// How many looks may have no answer before no others are made.
const MOST: usize = 32;

pub(super) struct Looks {
    todo: Arc<Mutex<VecDeque<(JobId, Look)>>>,
    sender: UnboundedSender<(JobId, Evidence)>,
    answers: UnboundedReceiver<(JobId, Evidence)>,
    threads: JoinSet<()>,
    /// Whether there was an answer since the last round.
    answered: bool,
    /// Whether it was said that no others are made.
    told: bool,
}

impl Looks {
    pub(super) fn new() -> Self {
        let (sender, answers) = unbounded_channel();
        let (todo, threads) = (Arc::default(), JoinSet::new());
        Self { todo, sender, answers, threads, answered: false, told: false }
    }

    /// What one look has found. May be dropped and called again.
    pub(super) async fn next(&mut self) -> (JobId, Evidence) {
        match self.answers.recv().await {
            Some(found) => {
                self.answered = true;
                found
            }
            // There is a sender here.
            None => std::future::pending().await,
        }
    }

    /// Whether the looks of the last round are all begun.
    pub(super) fn are_begun(&self) -> bool {
        todo(&self.todo).is_empty()
    }

    pub(super) fn add(&mut self, looks: impl IntoIterator<Item = (JobId, Look)>) {
        todo(&self.todo).extend(looks);
    }

    /// Has those looked at that are left, once in a round: by one more thread if there was no answer since the last.
    pub(super) fn go_on(&mut self) {
        while self.threads.try_join_next().is_some() {}
        let answered = std::mem::take(&mut self.answered) || self.threads.is_empty();
        if self.are_begun() || answered && !self.threads.is_empty() {
            return;
        }
        if self.threads.len() >= MOST {
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    "{MOST} results dirs do not answer: of other jobs Slurm alone tells until one does"
                );
            }
            return;
        }
        let (left, sender) = (self.todo.clone(), self.sender.clone());
        self.threads.spawn_blocking(move || {
            // Bound, so that it is not locked while looking.
            let next = || todo(&left).pop_front();
            while let Some((id, look)) = next() {
                let found = catch_unwind(AssertUnwindSafe(|| look())).unwrap_or_else(|_| {
                    tracing::error!(%id, "a look for a job's record broke off");
                    Evidence::None
                });
                // Whoever does not watch any more has no use for it.
                let _ = sender.send((id, found));
            }
        });
    }
}

fn todo(todo: &Mutex<VecDeque<(JobId, Look)>>) -> MutexGuard<'_, VecDeque<(JobId, Look)>> {
    todo.lock().unwrap_or_else(PoisonError::into_inner)
}
