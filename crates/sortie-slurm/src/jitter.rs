//! Pauses of slightly different lengths, so that launchers that began together do not all call at
//! once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A source of numbers that are random enough for that.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Default for Jitter {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0_u64))
    }
}

impl Jitter {
    /// The duration, up to a fifth longer or shorter.
    pub(crate) fn vary(&mut self, duration: Duration) -> Duration {
        // Knuth's constants for a linear congruential generator; its upper bits are the random
        // ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let percent = 80 + u32::try_from((self.0 >> 33) % 41).unwrap_or(20);
        duration * percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_by_a_fifth_at_most() {
        let mut jitter = Jitter::default();
        let pauses: Vec<_> = (0..1000).map(|_| jitter.vary(Duration::from_secs(10))).collect();
        assert!(pauses.iter().all(|p| (8..=12).contains(&p.as_secs())), "{pauses:?}");
        assert!(pauses.iter().any(|p| p.as_millis() < 8500));
        assert!(pauses.iter().any(|p| p.as_millis() > 11_500));
    }
}
