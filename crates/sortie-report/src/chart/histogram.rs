//! How values are spread.

use super::path::Path;
use super::{Decimal, Layer, Mark, Plot, WIDTH, count_marks};
use crate::scale::Scale;
use crate::unit::Unit;
use crate::words;

const HEIGHT: u32 = 140;
const BINS: usize = 30;
/// Values that span more than this are shown by their order of magnitude.
const WIDE: f64 = 60.0;

/// Some values, from the smallest to the largest.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value that a share of all does not exceed (nearest rank).
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (words::float(self.0.len()) * share).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
        let index = (rank as usize).saturating_sub(1);
        self.0.get(index).copied()
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.0.last().copied()
    }
}

/// A bar: its bounds in words, and how many values are within.
pub(crate) struct Bin {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) count: usize,
}

pub(crate) struct Histogram {
    pub(crate) plot: String,
    pub(crate) bins: Vec<Bin>,
}

/// None where there are no values. `name` is a plural.
pub(crate) fn histogram(
    name: &str,
    spread: &Spread,
    unit: Unit,
) -> Result<Option<Histogram>, std::fmt::Error> {
    let (Some(low), Some(high)) = (spread.quantile(0.0), spread.max()) else { return Ok(None) };
    let bounds = Bounds::new(&spread.0, low, high);
    let counts = bounds.counts(&spread.0);
    let most = counts.iter().copied().max().unwrap_or(0);
    let (y, height) = (Scale::up_to(words::float(most)), f64::from(HEIGHT));
    let width = WIDTH / words::float(BINS);
    let mut path = Path::default();
    for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let bar = (y.at(words::float(*count)) * height).max(1.5);
        path.rect([words::float(index) * width + 1.5, height - bar], [width - 3.0, bar]);
    }
    let label = format!(
        "How {name} of {} are spread, from {} to {}.",
        words::counted(spread.0.len(), "candidate"),
        unit.words(low),
        unit.words(high)
    );
    let plot = Plot {
        class: "histogram",
        label,
        height: HEIGHT,
        y: count_marks(y, 3, height),
        y_unit: "%",
        x: bounds.marks(unit),
        layers: vec![Layer { class: "bars spread".into(), path: path.into_string() }],
        domain: None,
    };
    let edge = |index: usize| unit.words(bounds.edge(index));
    let bins = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let bins = bins.map(|(at, count)| Bin { from: edge(at), to: edge(at + 1), count: *count });
    Ok(Some(Histogram { bins: bins.collect(), plot: super::render(&plot)? }))
}

/// Where one bar ends and the next begins.
struct Bounds {
    scale: Scale,
    is_logarithmic: bool,
}

impl Bounds {
    fn new(sorted: &[f64], low: f64, high: f64) -> Self {
        // Zeros have no order of magnitude: they go into the first bar.
        let smallest = sorted.iter().copied().find(|value| *value > 0.0).unwrap_or(low);
        let smallest = smallest.max(high * 1e-6);
        if smallest > 0.0 && high / smallest > WIDE {
            let scale = Scale::new(smallest.log10().floor(), high.log10());
            return Self { scale, is_logarithmic: true };
        }
        let scale = if low > 0.0 && high / low < 1.5 {
            Scale::new(low, high).padded(0.05)
        } else {
            Scale::up_to(high)
        };
        Self { scale, is_logarithmic: false }
    }

    fn counts(&self, sorted: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; BINS];
        for value in sorted {
            let value = if self.is_logarithmic { value.max(1e-300).log10() } else { *value };
            let at = self.scale.at(value) * words::float(BINS);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
            let index = (at as usize).min(BINS - 1);
            counts[index] += 1;
        }
        counts
    }

    fn edge(&self, index: usize) -> f64 {
        let share = words::float(index) / words::float(BINS);
        let place = share * (self.scale.high - self.scale.low) + self.scale.low;
        if self.is_logarithmic { 10_f64.powf(place) } else { place }
    }

    fn marks(&self, unit: Unit) -> Vec<Mark> {
        let values = if self.is_logarithmic {
            unit.magnitudes(self.scale)
        } else {
            unit.ticks(self.scale, 3)
        };
        let mark = |value: f64| {
            let share = self.scale.at(if self.is_logarithmic { value.log10() } else { value });
            let (at, line) = (Decimal(share * 100.0), Decimal(share * WIDTH));
            Mark { at, line, label: unit.round(value) }
        };
        values.into_iter().map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_there_are() {
        let spread = Spread::new([3.0, 1.0, f64::NAN, 2.0, 4.0].into_iter());
        let quantiles = [0.0, 0.25, 0.5, 0.9, 1.0].map(|share| spread.quantile(share));
        assert_eq!(quantiles, [1.0, 1.0, 2.0, 4.0, 4.0].map(Some));
        assert_eq!(Spread::new([].into_iter()).quantile(0.5), None);
    }

    #[test]
    fn every_value_is_in_a_bar() {
        for values in [vec![0.0; 5], vec![7.0], vec![0.0, 1e-9, 1.0, 1e9], vec![1.0, 1.1, 1.2]] {
            let spread = Spread::new(values.iter().copied());
            let histogram = histogram("times", &spread, Unit::Seconds).unwrap().unwrap();
            let count: usize = histogram.bins.iter().map(|bin| bin.count).sum();
            assert_eq!(count, values.len(), "{values:?}");
        }
    }
}
