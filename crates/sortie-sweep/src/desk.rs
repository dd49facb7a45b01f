//! Where the scribe writes: one thread at a time, which reads the results of one candidate after the other. Where a results
//! dir does not answer, another thread goes on, and that candidate is written down when it does.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sortie_results::ReadLimits;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::SweepError;
use crate::scribe::{BYTES, News, ORDERS, Order, Read, SYNC, Scribe, Start};

/// For so long one candidate's results may be read, before another thread goes on.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// After it has written, the scribe waits so long for more to write together.
const PACE: Duration = Duration::from_millis(5);
/// How many threads may wait for results dirs that do not answer.
const MOST: usize = 32;

pub(crate) struct Desk {
    turn: Mutex<Turn>,
    /// `None` once all is written.
    work: Mutex<Option<Work>>,
    limits: ReadLimits,
}

/// Whose turn it is to write.
#[derive(Default)]
struct Turn {
    /// Counts up.
    writer: u64,
    /// What it reads now, and since when.
    reading: Option<(PathBuf, Instant)>,
    /// How many of those that had their turn still wait for an answer.
    hanging: usize,
    /// What they have read when it came.
    late: Vec<Result<Read, SweepError>>,
    /// Whether it was said that no more of them may wait.
    told: bool,
}

struct Work {
    scribe: Scribe,
    orders: Receiver<Order>,
    synced: Instant,
    starts: Vec<Start>,
    over: Vec<Read>,
    bytes: usize,
}

/// What is to be done next.
enum Next {
    Read(Box<crate::scribe::Finish>),
    /// All orders are carried out.
    Done,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(crate) fn new(scribe: Scribe, orders: Receiver<Order>) -> Arc<Self> {
        let limits = scribe.limits;
        let (starts, over) = (Vec::new(), Vec::new());
        let work = Work { scribe, orders, synced: Instant::now(), starts, over, bytes: 0 };
        Arc::new(Self { turn: Mutex::default(), work: Mutex::new(Some(work)), limits })
    }

    /// Has a thread write until there are no more orders, or something cannot be written: then nothing more is.
    pub(crate) fn start(self: &Arc<Self>) -> JoinHandle<()> {
        let (desk, me) = (self.clone(), lock(&self.turn).writer);
        spawn_blocking(move || desk.write(me))
    }

    /// Has another thread go on where a results dir does not answer.
    pub(crate) fn go_on(self: &Arc<Self>) -> Option<JoinHandle<()>> {
        let mut turn = lock(&self.turn);
        let (dir, since) = turn.reading.as_ref()?;
        if since.elapsed() < PATIENCE {
            return None;
        }
        if turn.hanging >= MOST {
            if !std::mem::replace(&mut turn.told, true) {
                tracing::warn!(
                    "{MOST} results dirs do not answer: nothing is written down until one of them does"
                );
            }
            return None;
        }
        tracing::warn!(
            "{}: the file system does not answer; its candidate is written down when it does",
            dir.display()
        );
        turn.reading = None;
        turn.writer += 1;
        turn.hanging += 1;
        drop(turn);
        Some(self.start())
    }

    fn write(&self, me: u64) {
        loop {
            let next = {
                let mut work = lock(&self.work);
                let Some(work) = work.as_mut() else { return };
                work.next(|| std::mem::take(&mut lock(&self.turn).late))
            };
            match next {
                Ok(Next::Read(finish)) => {
                    lock(&self.turn).reading = Some((finish.results_dir.clone(), Instant::now()));
                    let read = Read::of(finish, self.limits);
                    let mut turn = lock(&self.turn);
                    if turn.writer != me {
                        turn.hanging -= 1;
                        turn.late.push(read);
                        return;
                    }
                    turn.reading = None;
                    drop(turn);
                    let taken = lock(&self.work).as_mut().map(|work| work.take(read));
                    if let Some(Err(error)) = taken {
                        return self.fail(error);
                    }
                }
                Ok(Next::Done) => {
                    let done = lock(&self.work).take();
                    return drop(done.map(|work| work.scribe.lease));
                }
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Tells that nothing more can be written, and waits until there are no more orders.
    fn fail(&self, error: SweepError) {
        let Some(Work { scribe, orders, .. }) = lock(&self.work).take() else { return };
        let full = error.is_for_want_of_space();
        let _ = scribe.news.send(News::Failed(error));
        while let Ok(order) = orders.recv() {
            if let Order::Finish(finish) = order
                && full
            {
                scribe.disbelieve(&finish.results_dir);
            }
        }
    }
}

impl Work {
    /// Writes together what the orders that are there ask for, until there is something to read.
    fn next(
        &mut self,
        late: impl Fn() -> Vec<Result<Read, SweepError>>,
    ) -> Result<Next, SweepError> {
        loop {
            for read in late() {
                self.take(read)?;
            }
            let is_full = self.over.len() + self.starts.len() >= ORDERS || self.bytes > BYTES;
            let order = if is_full { None } else { self.orders.try_recv().ok() };
            match order {
                Some(order) => {
                    if let Some(finish) = self.begin(order) {
                        return Ok(Next::Read(finish));
                    }
                    continue;
                }
                None if self.starts.is_empty() && self.over.is_empty() => {}
                None => {
                    self.flush()?;
                    thread::sleep(PACE);
                    continue;
                }
            }
            if self.synced.elapsed() >= SYNC {
                self.scribe.books.sync()?;
                self.synced = Instant::now();
            }
            match self.orders.recv_timeout(SYNC.saturating_sub(self.synced.elapsed())) {
                Ok(order) => {
                    if let Some(finish) = self.begin(order) {
                        return Ok(Next::Read(finish));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.scribe.books.sync()?;
                    return Ok(Next::Done);
                }
            }
        }
    }

    fn begin(&mut self, order: Order) -> Option<Box<crate::scribe::Finish>> {
        match order {
            Order::Start { ids, noted } => {
                self.starts.push((ids, noted));
                None
            }
            Order::Finish(finish) => Some(finish),
        }
    }

    fn take(&mut self, read: Result<Read, SweepError>) -> Result<(), SweepError> {
        let mut read = read?;
        self.scribe.believe(&mut read)?;
        self.bytes += read.line.len();
        self.over.push(read);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SweepError> {
        self.bytes = 0;
        self.scribe.finish(&std::mem::take(&mut self.over))?;
        self.scribe.start(std::mem::take(&mut self.starts))
    }
}
