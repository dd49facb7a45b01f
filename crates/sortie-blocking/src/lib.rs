#![doc = include_str!("../README.md")]
//!
//! This crate does not know what the calls do.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

/// If no call is answered for so long, another thread goes on.
pub const PATIENCE: Duration = Duration::from_millis(50);
/// After so long it is said that a call is not answered.
const SILENCE: Duration = Duration::from_secs(2);

type Call = Box<dyn FnOnce() + Send>;

/// Makes a call in this thread, that does not hang; `None` if it panics, as with [`BlockingPool::run`].
pub fn here<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Threads that make calls. They end when it is dropped and all that was queued is done; one that hangs, when it is answered.
pub struct BlockingPool(Arc<Pool>);

/// How many calls a pool had answered at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered(u64);

struct Pool {
    /// How many threads are kept when there is nothing to do.
    kept: usize,
    /// How many there may be.
    most: usize,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    calls: VecDeque<Call>,
    threads: usize,
    idle: usize,
    /// How many of the idle ones have been woken and have not noticed.
    woken: usize,
    answered: Answered,
    closed: bool,
    /// Whether it was said that there may be no more threads.
    told: bool,
}

impl BlockingPool {
    /// A pool of `most` threads at most, of which so many are kept, once they were needed, when there is nothing to do.
    pub fn new(kept: usize, most: usize) -> Self {
        let (state, more) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Pool { kept, most, state, more }))
    }

    /// Makes a call that may hang, and waits for its answer; `None` if it panics. `path` is what it is about, and `hangs` is
    /// told if there is no answer for a while. Needs a tokio runtime with time enabled.
    pub async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        hangs: impl FnOnce(),
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, mut answer) = oneshot::channel();
        let mut seen = self.queue(move || drop(sender.send(call())));
        let mut silent = Some((Instant::now(), hangs));
        loop {
            match timeout(PATIENCE, &mut answer).await {
                Ok(answer) => return answer.ok(),
                Err(_) => seen = self.go_on(seen),
            }
            silent = match silent {
                Some((since, hangs)) if since.elapsed() >= SILENCE => {
                    let path = path.display();
                    tracing::warn!("{path}: the file system does not answer; what needs it waits");
                    hangs();
                    None
                }
                silent => silent,
            };
        }
    }

    /// The same in this thread, for so long at most.
    pub fn run_within<T: Send + 'static>(
        &self,
        time: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = mpsc::sync_channel(1);
        let mut seen = self.queue(move || drop(sender.send(call())));
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match answer.recv_timeout(left.min(PATIENCE)) {
                Ok(answer) => return Some(answer),
                Err(mpsc::RecvTimeoutError::Timeout) if !left.is_zero() => {
                    seen = self.go_on(seen);
                }
                Err(_) => return None,
            }
        }
    }

    /// Makes a call for whose answer nobody waits, such as letting go of files.
    pub fn spawn(&self, call: impl FnOnce() + Send + 'static) {
        let seen = self.queue(call);
        self.go_on(seen);
    }

    /// Has a call made when its turn comes. Whoever waits for it has to [go on](Self::go_on) now and then, each
    /// [`PATIENCE`] say.
    pub fn queue(&self, call: impl FnOnce() + Send + 'static) -> Answered {
        self.0.add(Box::new(call))
    }

    /// Has another thread make the calls that wait, if none was answered since; how many are by now.
    pub fn go_on(&self, since: Answered) -> Answered {
        self.0.go_on(since)
    }

    /// Whether there was no answer since, and no other thread can help: all calls are being made, or there may be no more
    /// threads.
    pub fn is_stuck(&self, since: Answered) -> bool {
        let state = self.0.state();
        state.answered == since && (state.calls.is_empty() || state.threads >= self.0.most)
    }

    /// Whether all calls are begun.
    pub fn are_begun(&self) -> bool {
        self.0.state().calls.is_empty()
    }

    /// Whether all calls are answered.
    pub fn is_idle(&self) -> bool {
        let state = self.0.state();
        state.calls.is_empty() && state.threads == state.idle
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.more.notify_all();
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a call made when its turn comes; how many were answered so far.
    fn add(self: &Arc<Self>, call: Call) -> Answered {
        let mut state = self.state();
        state.calls.push_back(call);
        let answered = state.answered;
        if state.idle > 0 {
            state.idle -= 1;
            state.woken += 1;
            drop(state);
            self.more.notify_one();
        } else if state.threads < self.kept {
            self.start(state);
        }
        answered
    }

    /// Has another thread make the calls that wait, if none was answered since so many were; how many are by now.
    fn go_on(self: &Arc<Self>, seen: Answered) -> Answered {
        let mut state = self.state();
        let answered = state.answered;
        if answered == seen && state.woken < state.calls.len() {
            if state.threads < self.most {
                self.start(state);
            } else if !std::mem::replace(&mut state.told, true) {
                tracing::warn!(
                    "{} calls to file systems are not answered: all others wait for one of them",
                    self.most
                );
            }
        }
        answered
    }

    fn start(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        state.threads += 1;
        drop(state);
        let pool = self.clone();
        let started =
            thread::Builder::new().name("sortie-blocking".into()).spawn(move || pool.work());
        if started.is_err() {
            // The machine has no thread to give: rather here than never.
            let mut state = self.state();
            state.threads -= 1;
            while state.threads == 0
                && let Some(call) = state.calls.pop_front()
            {
                drop(state);
                state = self.make(call);
            }
        }
    }

    fn make(&self, call: Call) -> MutexGuard<'_, State> {
        // Whoever waits for one that panics sees that there is no answer.
        let _ = here(call);
        let mut state = self.state();
        state.answered.0 += 1;
        state
    }

    /// Makes calls until there is no need of this thread.
    fn work(&self) {
        let mut state = self.state();
        loop {
            while let Some(call) = state.calls.pop_front() {
                drop(state);
                state = self.make(call);
            }
            if state.closed || state.idle >= self.kept {
                state.threads -= 1;
                return;
            }
            state.idle += 1;
            while state.woken == 0 && !state.closed {
                state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            match state.woken {
                0 => state.idle -= 1,
                _ => state.woken -= 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "a test";

    #[tokio::test]
    async fn calls_that_hang_hold_up_no_other() {
        let pool = Arc::new(BlockingPool::new(1, 64));
        let (mut ends, mut hanging) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let (end, ended) = mpsc::channel::<u32>();
            ends.push(end);
            let pool = pool.clone();
            hanging.push(tokio::spawn(async move {
                pool.run(HERE.as_ref(), || (), move || ended.recv()).await
            }));
        }
        tokio::task::yield_now().await;
        assert_eq!(pool.run(HERE.as_ref(), || (), || 1).await, Some(1));
        for (end, hanging) in ends.iter().zip(hanging) {
            end.send(2).unwrap();
            assert_eq!(hanging.await.unwrap(), Some(Ok(2)));
        }
        // Those that were needed no longer are gone, but one.
        while pool.0.state().threads > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn beyond_the_bound_all_wait_until_one_is_answered() {
        let pool = BlockingPool::new(1, 1);
        let (end, ended) = mpsc::channel::<u32>();
        let hangs = pool.run(HERE.as_ref(), || (), move || ended.recv());
        let waits = pool.run(HERE.as_ref(), || (), || 1);
        let answers = async {
            assert_eq!(pool.run_within(PATIENCE, || 1), None);
            end.send(2).unwrap();
        };
        let (hangs, waits, ()) = tokio::join!(hangs, waits, answers);
        assert_eq!((hangs, waits), (Some(Ok(2)), Some(1)));
    }

    #[tokio::test]
    async fn a_call_that_panics_has_no_answer() {
        let pool = BlockingPool::new(1, 2);
        let panics = || panic!("as it should");
        assert_eq!(pool.run(HERE.as_ref(), || (), panics).await, None::<()>);
        assert_eq!(pool.run_within(SILENCE, panics), None::<()>);
        assert_eq!(pool.run(HERE.as_ref(), || (), || 1).await, Some(1));
    }
}
