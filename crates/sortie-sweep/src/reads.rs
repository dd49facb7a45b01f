//! Reading what candidates have left, for the writer: one results dir after the other, beside the runtime. One that does not
//! answer holds up no other; its candidate is written down when it does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use sortie_blocking::{Answered, BlockingPool};
use sortie_results::{ReadLimits, load};

use crate::writer::{Finish, Order};

/// If there is no answer for so long, another thread goes on.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// After so long it is said that there is none.
const SILENCE: Duration = Duration::from_secs(2);
/// How many results dirs may have no answer before no others are read, or looked at.
pub(crate) const MOST: usize = 32;

pub(crate) struct Reads {
    pool: BlockingPool,
    orders: Sender<Order>,
    limits: ReadLimits,
    answered: Answered,
    /// Since when there is no answer, until that is said.
    silent: Option<Instant>,
}

impl Reads {
    pub(crate) fn new(orders: Sender<Order>, limits: ReadLimits) -> Self {
        let pool = BlockingPool::new(1, MOST);
        Self { pool, orders, limits, answered: Answered::default(), silent: Some(Instant::now()) }
    }

    /// Reads what a candidate has left, and has it written down.
    pub(crate) fn read(&self, mut finish: Box<Finish>) {
        let (orders, limits) = (self.orders.clone(), self.limits);
        self.pool.queue(move || {
            let attempt = finish.finished.as_ref().map(|finished| finished.attempt);
            let load = || load(&finish.results_dir, attempt, limits);
            finish.left = match catch_unwind(AssertUnwindSafe(load)) {
                Ok(left) => left.map(Box::new).map_err(|error| error.to_string()),
                Err(_) => Err("reading it broke off".to_owned()),
            };
            // Who does not wait any more finds it in the results dir.
            let _ = orders.send(Order::Finish(finish));
        });
    }

    /// Has another thread go on, should there be no answer: to be called each [`PATIENCE`].
    pub(crate) fn go_on(&mut self) {
        let answered = self.pool.go_on(self.answered);
        if answered != self.answered || self.pool.is_idle() {
            (self.answered, self.silent) = (answered, Some(Instant::now()));
        } else if self.silent.is_some_and(|since| since.elapsed() >= SILENCE) {
            self.silent = None;
            tracing::warn!(
                "a file system does not answer; the candidates there are written down when it does"
            );
        }
    }
}
