//! A circuit breaker: many failures of one kind in a row are one failure of something larger, and
//! going on would only burn the queue.

use std::time::{Duration, Instant};

/// Pauses submission after too many identical failures in a row; lets one try through after a
/// while.
///
/// ```
/// use std::time::{Duration, Instant};
/// use sortie_slurm::{Breaker, Permit};
///
/// let mut breaker = Breaker::new(3, Duration::from_secs(60));
/// let now = Instant::now();
/// for _ in 0..3 {
///     assert_eq!(breaker.permit(now), Permit::Go);
///     breaker.failed(now, "node failure on n17");
/// }
/// let Permit::Paused { why, .. } = breaker.permit(now) else { panic!() };
/// assert_eq!(why, "3 times in a row: node failure on n17");
/// ```
#[derive(Debug, Clone)]
pub struct Breaker {
    limit: u32,
    pause: Duration,
    cause: String,
    streak: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    OpenUntil(Instant),
    /// A try is under way, and taken for lost at that time.
    Trying(Instant),
}

/// Whether to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// Go on.
    Go,
    /// Go on with one, and tell how it went before asking again.
    Try,
    /// Not now.
    Paused {
        /// When to ask again.
        until: Instant,
        /// Why, for the user.
        why: String,
    },
}

impl Breaker {
    /// A breaker that pauses after `limit` identical failures in a row (at least one), each time
    /// for `pause`.
    pub fn new(limit: u32, pause: Duration) -> Self {
        Self { limit: limit.max(1), pause, cause: String::new(), streak: 0, state: State::Closed }
    }

    /// Whether to go on. A [`Permit::Try`] is given to one caller; it comes again if nothing is
    /// heard of that try for as long as a pause.
    pub fn permit(&mut self, now: Instant) -> Permit {
        match self.state {
            State::Closed => Permit::Go,
            State::OpenUntil(until) | State::Trying(until) if now < until => {
                let why = format!("{} times in a row: {}", self.streak, self.cause);
                Permit::Paused { until, why }
            }
            State::OpenUntil(_) | State::Trying(_) => {
                self.state = State::Trying(now + self.pause);
                Permit::Try
            }
        }
    }

    /// An attempt failed through no fault of its own; `cause` is the same text for the same
    /// failure.
    pub fn failed(&mut self, now: Instant, cause: &str) {
        if self.cause == cause {
            self.streak = self.streak.saturating_add(1);
        } else {
            cause.clone_into(&mut self.cause);
            self.streak = 1;
        }
        let tried = matches!(self.state, State::Trying(_));
        if self.streak >= self.limit || tried {
            self.state = State::OpenUntil(now + self.pause);
        }
    }

    /// An attempt ran to an end of its own, good or bad: the way is clear.
    pub fn succeeded(&mut self) {
        self.streak = 0;
        self.cause.clear();
        self.state = State::Closed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn open() -> (Breaker, Instant) {
        let (mut breaker, now) = (Breaker::new(3, PAUSE), Instant::now());
        for _ in 0..3 {
            breaker.failed(now, "node failure");
        }
        (breaker, now)
    }

    #[test]
    fn different_failures_and_single_ones_pause_nothing() {
        let (mut breaker, now) = (Breaker::new(3, PAUSE), Instant::now());
        for cause in ["a", "a", "b", "a", "b", "b"] {
            breaker.failed(now, cause);
            assert_eq!(breaker.permit(now), Permit::Go);
        }
        breaker.succeeded();
        breaker.failed(now, "b");
        assert_eq!(breaker.permit(now), Permit::Go);
    }

    #[test]
    fn after_a_pause_one_is_tried_and_its_success_clears_the_way() {
        let (mut breaker, now) = open();
        assert!(
            matches!(breaker.permit(now), Permit::Paused { until, .. } if until == now + PAUSE)
        );
        assert_eq!(breaker.permit(now + PAUSE), Permit::Try);
        assert!(matches!(breaker.permit(now + PAUSE), Permit::Paused { .. }), "one only");
        breaker.succeeded();
        assert_eq!(breaker.permit(now + PAUSE), Permit::Go);
    }

    #[test]
    fn a_failed_or_forgotten_try_is_followed_by_another_pause() {
        let (mut breaker, now) = open();
        assert_eq!(breaker.permit(now + PAUSE), Permit::Try);
        breaker.failed(now + PAUSE, "something else");
        assert!(matches!(breaker.permit(now + PAUSE), Permit::Paused { .. }));
        assert_eq!(breaker.permit(now + 2 * PAUSE), Permit::Try);
        assert_eq!(breaker.permit(now + 3 * PAUSE), Permit::Try);
    }
}
