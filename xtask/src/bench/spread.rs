//! What several rounds of one measurement say together.

use std::fmt;

use serde::Serialize;

/// The median and the quartiles of some values, by linear interpolation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Spread {
    /// Of values in any order; NaN if there are none.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            median: quantile(&sorted, 1, 2),
            lower: quantile(&sorted, 1, 4),
            upper: quantile(&sorted, 3, 4),
        }
    }

    /// The same in another unit.
    pub(crate) fn scaled(self, by: f64) -> Self {
        let Self { median, lower, upper } = self;
        Self { median: median * by, lower: lower * by, upper: upper * by }
    }
}

/// The value `numerator / denominator` of the way through sorted ones.
fn quantile(sorted: &[f64], numerator: usize, denominator: usize) -> f64 {
    let steps = sorted.len().saturating_sub(1) * numerator;
    let below = steps / denominator;
    let (Some(low), Some(high)) = (sorted.get(below), sorted.get(below + 1).or(sorted.last()))
    else {
        return f64::NAN;
    };
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let part = (steps % denominator) as f64 / denominator as f64;
    low + (high - low) * part
}

/// As in `1.32 (1.28–1.40)`, in three digits or so.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median.abs() {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        let Self { median, lower, upper } = self;
        write!(f, "{median:.digits$} ({lower:.digits$}–{upper:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_values() {
        let spread = Spread::of(&[5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!(spread, Spread { median: 3.0, lower: 2.0, upper: 4.0 });
        let spread = Spread::of(&[2.0, 1.0]);
        assert_eq!(spread, Spread { median: 1.5, lower: 1.25, upper: 1.75 });
        assert_eq!(Spread::of(&[7.0]), Spread { median: 7.0, lower: 7.0, upper: 7.0 });
    }

    #[test]
    fn shown_in_three_digits() {
        assert_eq!(Spread::of(&[1.0, 1.5]).to_string(), "1.25 (1.12–1.38)");
        assert_eq!(Spread::of(&[507.2]).to_string(), "507 (507–507)");
    }
}
