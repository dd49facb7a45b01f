//! How often to look and to ask.

use std::time::{Duration, Instant};

use crate::jitter::Jitter;

/// How often a [`Watcher`](crate::Watcher) looks for records, and asks for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The time between two looks for the record of one job that may end at any moment, while there
    /// are few.
    pub look: Duration,
    /// The most looks a second, all jobs together: with more jobs, each is looked at less often.
    /// One costs some microseconds.
    pub looks_a_second: u32,
    /// The time between two listings of the queue while news is expected: after a job was submitted
    /// or cancelled, or has left the queue.
    pub soonest: Duration,
    /// The time between two listings once nothing has been new for a while. slurm's man pages ask
    /// for few calls, and many sites for at most one a minute or half a minute. Less where jobs that are over are forgotten
    /// sooner ([`Cluster::memory`](crate::Cluster::memory)).
    pub latest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_millis(200),
            looks_a_second: 4000,
            soonest: Duration::from_secs(3),
            latest: Duration::from_secs(30),
        }
    }
}

/// Listing the queue takes at most one part in so many of the time, up to pauses of ten times the latest: a slow
/// controller is asked less.
const SHARE: u32 = 20;

impl Pace {
    /// The time between two looks at one job: of those that may end at any moment and of the
    /// others, if there are so many of either.
    pub(crate) fn looks(&self, may_end: usize, others: usize) -> [Duration; 2] {
        let rate = self.looks_a_second.max(1);
        let share = |jobs: usize, rate: u32| {
            Duration::from_secs(1) * u32::try_from(jobs).unwrap_or(u32::MAX) / rate.max(1)
        };
        [self.look.max(share(may_end, rate)), (self.look * 5).max(share(others, rate / 4))]
    }
}

/// When to list the queue next.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    /// The longest pause while nothing is new.
    longest: Duration,
    interval: Duration,
    pub(crate) next: Instant,
    /// Not before this, whatever happens.
    floor: Instant,
    /// How long the last answer took; nothing before the first.
    took: Duration,
    jitter: Jitter,
}

impl Pacer {
    pub(crate) fn new(pace: Pace, now: Instant) -> Self {
        let interval = pace.soonest;
        let (took, jitter) = (Duration::ZERO, Jitter::default());
        let (longest, next) = (pace.latest, now + interval);
        Self { pace, longest, interval, next, floor: now, took, jitter }
    }

    /// The queue was listed, which took so long; `expects_news` tells whether the next listing may
    /// have some.
    pub(crate) fn answered(&mut self, now: Instant, took: Duration, expects_news: bool) {
        let news_by = if expects_news { self.pace.soonest * 3 } else { self.longest };
        let longest = news_by.min(self.longest);
        self.interval = (self.interval * 3 / 2).min(longest);
        // One slow answer, as of a controller that has just come back, is not to cost minutes.
        let usual = took.min(self.took.max(Duration::from_secs(1)));
        self.took = took;
        let longest = self.pace.latest * 10;
        self.schedule(now, self.interval, (usual * SHARE).min(longest));
    }

    /// Half the time after which a job that is over is forgotten is the longest pause, or the soonest if that is longer:
    /// how such a job ended is not known from elsewhere. A slow controller is asked less all the same.
    pub(crate) fn heed_forgetting(&mut self, after: Duration) {
        self.longest = self.pace.latest.min((after / 2).max(self.pace.soonest));
    }

    /// There was no answer.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.interval = (self.interval * 2).min(self.pace.latest * 2);
        self.schedule(now, self.interval, self.interval);
    }

    /// The first job is there, after a time without any.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.interval = self.pace.soonest;
        self.next = self.floor.max(now + self.interval);
    }

    /// There may be news soon.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.interval = self.pace.soonest;
        self.next = self.next.min((now + self.interval).max(self.floor));
    }

    fn schedule(&mut self, now: Instant, interval: Duration, at_least: Duration) {
        self.floor = now + self.jitter.vary(at_least);
        self.next = self.floor.max(now + self.jitter.vary(interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses between listings that take no time.
    fn pauses(pacer: &mut Pacer, count: usize, expects_news: bool) -> Vec<u128> {
        let mut pauses = Vec::new();
        for _ in 0..count {
            let now = pacer.next;
            pacer.answered(now, Duration::ZERO, expects_news);
            pauses.push((pacer.next - now).as_millis());
        }
        pauses
    }

    #[test]
    fn listings_become_rare_when_nothing_happens_and_frequent_when_something_does() {
        let mut pacer = Pacer::new(Pace::default(), Instant::now());
        let quiet = pauses(&mut pacer, 10, false);
        assert!((3600..=5400).contains(&quiet[0]), "{quiet:?}");
        assert!((24_000..=36_000).contains(&quiet[9]), "{quiet:?}");
        let now = pacer.next.checked_sub(Duration::from_secs(20)).unwrap();
        pacer.hurry(now);
        assert_eq!(pacer.next, now + Duration::from_secs(3));
        let busy = pauses(&mut pacer, 10, true);
        assert!(busy.iter().all(|pause| *pause <= 10_800), "{busy:?}");
    }

    #[test]
    fn what_is_soon_forgotten_is_asked_for_in_time() {
        let mut pacer = Pacer::new(Pace::default(), Instant::now());
        pacer.heed_forgetting(Duration::from_secs(20));
        let quiet = pauses(&mut pacer, 10, false);
        assert!(quiet.iter().all(|pause| *pause <= 12_000), "{quiet:?}");
        pacer.heed_forgetting(Duration::from_secs(2));
        let quiet = pauses(&mut pacer, 10, false);
        assert!(quiet.iter().all(|pause| (2400..=3600).contains(pause)), "{quiet:?}");
    }

    #[test]
    fn a_slow_or_failing_controller_is_asked_less_even_in_a_hurry() {
        let now = Instant::now();
        let mut pacer = Pacer::new(Pace::default(), now);
        pacer.answered(now, Duration::from_secs(10), true);
        assert!(pacer.next - now <= Duration::from_secs(30), "it may have been once");
        pacer.answered(now, Duration::from_secs(10), true);
        assert!(pacer.next - now >= Duration::from_secs(160));
        pacer.hurry(now);
        assert!(pacer.next - now >= Duration::from_secs(160));
        pacer.answered(now, Duration::from_secs(30), true);
        pacer.answered(now, Duration::from_secs(30), true);
        assert!(pacer.next - now <= Duration::from_secs(400), "minutes, but not hours");
        for _ in 0..10 {
            pacer.failed(now);
        }
        pacer.hurry(now);
        let pause = (pacer.next - now).as_secs();
        assert!((48..=72).contains(&pause), "{pause}");
    }

    #[test]
    fn looks_at_many_jobs_cost_no_more_than_allowed() {
        let pace = Pace::default();
        assert_eq!(pace.looks(10, 10), [Duration::from_millis(200), Duration::from_secs(1)]);
        assert_eq!(pace.looks(10_000, 0)[0], Duration::from_millis(2500));
        assert_eq!(pace.looks(0, 10_000)[1], Duration::from_secs(10));
    }
}
