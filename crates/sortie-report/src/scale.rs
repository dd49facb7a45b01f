//! Axes: where a value lies, and which values are worth a mark.

/// The values that an axis spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Steps between marks of time, in seconds: those of a clock.
const TIME_STEPS: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    10800.0, 21600.0, 43200.0, 86400.0,
];

impl Scale {
    /// Of those values; one that spans nothing is widened.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        if high > low {
            return Self { low, high };
        }
        let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        Self { low: low - margin, high: low + margin }
    }

    /// From zero on.
    pub(crate) fn up_to(high: f64) -> Self {
        Self { low: 0.0, high: if high > 0.0 { high } else { 1.0 } }
    }

    /// With some room at both ends.
    pub(crate) fn padded(self, share: f64) -> Self {
        let room = (self.high - self.low) * share;
        Self { low: self.low - room, high: self.high + room }
    }

    /// From 0 at the low end to 1 at the high end; values beyond lie at the ends.
    pub(crate) fn at(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Round values, about so many.
    pub(crate) fn ticks(self, about: usize) -> Vec<f64> {
        let raw = (self.high - self.low) / crate::words::float(about.max(1));
        self.multiples(round_step(raw))
    }

    /// The same for seconds.
    pub(crate) fn time_ticks(self, about: usize) -> Vec<f64> {
        let raw = (self.high - self.low) / crate::words::float(about.max(1));
        let of_a_clock = TIME_STEPS.into_iter().find(|step| *step >= raw);
        let step = match of_a_clock {
            _ if raw < 1.0 => round_step(raw),
            Some(step) => step,
            None => round_step(raw / 86400.0).max(1.0) * 86400.0,
        };
        self.multiples(step)
    }

    fn multiples(self, step: f64) -> Vec<f64> {
        if !(step.is_finite() && step > 0.0) {
            return Vec::new();
        }
        let first = (self.low / step).ceil();
        let within = |value: &f64| *value <= self.high + step * 1e-9;
        (0..50).map(|n| (first + f64::from(n)) * step).take_while(within).collect()
    }
}

/// The next of 1, 2 or 5 times a power of ten.
fn round_step(raw: f64) -> f64 {
    let power = 10_f64.powf(raw.log10().floor());
    let leading = raw / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| leading <= *round * (1.0 + 1e-9));
    round.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        assert_eq!(Scale::new(0.0, 10.0).ticks(5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(Scale::new(-1.0, 1.0).ticks(4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(Scale::up_to(100.0).time_ticks(4), [0.0, 30.0, 60.0, 90.0]);
        assert_eq!(Scale::up_to(400_000.0).time_ticks(3), [0.0, 172_800.0, 345_600.0]);
    }

    #[test]
    fn one_value_is_in_the_middle() {
        for value in [0.0, -3.0, 1e12] {
            assert!((Scale::new(value, value).at(value) - 0.5).abs() < 1e-9);
        }
    }

    #[test]
    fn there_is_no_axis_without_end() {
        assert!(Scale::new(1e16, 1e16 + 2.0).ticks(1000).len() <= 50);
        assert!(Scale::new(0.0, f64::MAX).padded(1.0).ticks(5).is_empty());
    }
}
