//! Samples of two launchers, taken in turn, and figures that compare them.

use anyhow::Result;

use super::{
    figure::{Figure, Other, Target, Unit},
    sample::Sample,
};

pub(crate) const TIME: (Unit, fn(&Sample) -> f64) = (Unit::SecondsPerJob, Sample::seconds_per_job);
pub(crate) const RATE: (Unit, fn(&Sample) -> f64) = (Unit::JobsPerSecond, Sample::jobs_per_second);
pub(crate) const CPU: (Unit, fn(&Sample) -> f64) = (Unit::CpuSecondsPerJob, Sample::cpu_per_job);

/// Samples of sortie and of another, taken in turn.
pub(crate) struct Pairs {
    pub(crate) sortie: Vec<Sample>,
    pub(crate) other: Vec<Sample>,
}

impl Pairs {
    /// Takes so many, after one that does not count.
    pub(crate) async fn take(
        rounds: usize,
        mut sortie: impl AsyncFnMut() -> Result<Sample>,
        mut other: impl AsyncFnMut() -> Result<Sample>,
    ) -> Result<Self> {
        let mut pairs = Self { sortie: Vec::new(), other: Vec::new() };
        for round in 0..=rounds {
            let (ours, theirs) = (sortie().await?, other().await?);
            if round > 0 {
                pairs.sortie.push(ours);
                pairs.other.push(theirs);
            }
        }
        Ok(pairs)
    }

    /// A figure that compares the two.
    pub(crate) fn compare(
        &self,
        what: String,
        name: &'static str,
        (unit, value): (Unit, fn(&Sample) -> f64),
        target: Target,
    ) -> Figure {
        let of = |samples: &[Sample]| samples.iter().map(value).collect();
        let other = Some(Other { name, values: of(&self.other) });
        Figure { what, unit, sortie: of(&self.sortie), other, target }
    }
}
