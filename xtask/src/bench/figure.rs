//! A figure: what was measured, what it is compared with, and what it should come to.

use serde::Serialize;

use super::spread::Spread;

/// Bytes in a mebibyte.
pub(crate) const MIB: f64 = 1024.0 * 1024.0;

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// One value each round.
    pub(crate) sortie: Vec<f64>,
    pub(crate) other: Option<Other>,
    pub(crate) target: Target,
}

/// What sortie is compared with.
#[derive(Debug, Serialize)]
pub(crate) struct Other {
    pub(crate) name: &'static str,
    /// One value each round, measured right before or after sortie's.
    pub(crate) values: Vec<f64>,
}

/// What values are in.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    SecondsPerJob,
    CpuSecondsPerJob,
    JobsPerSecond,
    BytesPerJob,
    /// Of one core.
    Cores,
    Calls,
}

/// What a figure should come to. Ratios are of each round, sortie's value over the other's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub(crate) enum Target {
    /// Sortie's own value.
    ValueAtMost(f64),
    /// The ratio.
    RatioAtMost(f64),
    RatioAtLeast(f64),
    /// The inverse of the ratio: how many times less.
    TimesLess(f64),
    /// None: shown to explain another.
    None,
}

impl Unit {
    /// What to multiply values by and what to write after them, for values about as large as this.
    fn scale(self, value: f64) -> (f64, &'static str) {
        match self {
            Self::Seconds if value < 1.0 => (1e3, " ms"),
            Self::SecondsPerJob if value >= 1e-3 => (1e3, " ms"),
            Self::SecondsPerJob | Self::CpuSecondsPerJob => (1e6, " µs"),
            Self::JobsPerSecond => (1.0, "/s"),
            Self::BytesPerJob if value < MIB => (1.0, " B"),
            Self::BytesPerJob | Self::Bytes => (1.0 / MIB, " MiB"),
            Self::Seconds => (1.0, " s"),
            Self::Cores => (100.0, " %"),
            Self::Calls => (1.0, ""),
        }
    }

    fn show(self, values: &[f64]) -> String {
        let spread = Spread::of(values);
        let (factor, name) = self.scale(spread.median);
        format!("{}{name}", spread.scaled(factor))
    }
}

impl Figure {
    /// What the target is about: a ratio for each round, or sortie's own values.
    fn judged(&self) -> Spread {
        let other = match (&self.other, self.target) {
            (None, _) | (_, Target::ValueAtMost(_)) => return Spread::of(&self.sortie),
            (Some(other), _) => other,
        };
        let ratio = |(sortie, other): (&f64, &f64)| match self.target {
            Target::TimesLess(_) => other / sortie,
            _ => sortie / other,
        };
        Spread::of(&self.sortie.iter().zip(&other.values).map(ratio).collect::<Vec<_>>())
    }

    /// Whether the target is reached, if there is one.
    pub(crate) fn met(&self) -> Option<bool> {
        let median = self.judged().median;
        match self.target {
            Target::ValueAtMost(most) | Target::RatioAtMost(most) => Some(median <= most),
            Target::RatioAtLeast(least) | Target::TimesLess(least) => Some(median >= least),
            Target::None => None,
        }
    }

    fn target(&self) -> String {
        match self.target {
            Target::ValueAtMost(most) => {
                let (factor, name) = self.unit.scale(most);
                format!("≤ {}{name}", most * factor)
            }
            Target::RatioAtMost(most) => format!("≤ {most}x"),
            Target::RatioAtLeast(least) => format!("≥ {least}x"),
            Target::TimesLess(least) => format!("≥ {least}x less"),
            Target::None => String::new(),
        }
    }

    /// A line of the table.
    fn line(&self) -> [String; 6] {
        let other = self.other.as_ref();
        let ratio = match self.target {
            Target::TimesLess(_) => format!("{}x less", self.judged()),
            Target::RatioAtMost(_) | Target::RatioAtLeast(_) => format!("{}x", self.judged()),
            Target::ValueAtMost(_) | Target::None => String::new(),
        };
        let met = self.met().map_or("", |met| if met { "yes" } else { "**no**" });
        [
            self.what.clone(),
            self.unit.show(&self.sortie),
            other
                .map(|it| format!("{}: {}", it.name, self.unit.show(&it.values)))
                .unwrap_or_default(),
            ratio,
            self.target(),
            met.to_owned(),
        ]
    }
}

/// The figures as a table in Markdown.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let header = ["figure", "sortie", "compared with", "ratio", "target", "met"];
    table(header, figures.iter().map(Figure::line))
}

/// A table in Markdown.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    lines: impl IntoIterator<Item = [String; N]>,
) -> String {
    let lines = [header.map(str::to_owned), ["---"; N].map(str::to_owned)].into_iter().chain(lines);
    lines.map(|cells| format!("| {} |\n", cells.join(" | "))).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(sortie: &[f64], other: &[f64], target: Target) -> Figure {
        let other = (!other.is_empty()).then(|| Other { name: "bare", values: other.to_vec() });
        let (what, unit) = ("a job".to_owned(), Unit::SecondsPerJob);
        Figure { what, unit, sortie: sortie.to_vec(), other, target }
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let figure = figure(&[2.0, 4.0], &[1.0, 4.0], Target::RatioAtMost(1.5));
        assert_eq!(figure.judged(), Spread { median: 1.5, lower: 1.25, upper: 1.75 });
        assert_eq!(figure.met(), Some(true));
    }

    #[test]
    fn the_median_is_held_against_the_target() {
        let met = |other: &[f64], target| figure(&[0.001, 0.002, 0.9], other, target).met();
        let other = [0.01, 0.01, 0.01];
        assert_eq!(met(&[], Target::ValueAtMost(0.002)), Some(true));
        assert_eq!(met(&[], Target::ValueAtMost(0.0019)), Some(false));
        assert_eq!(met(&other, Target::RatioAtLeast(0.2)), Some(true));
        assert_eq!(met(&other, Target::RatioAtLeast(0.21)), Some(false));
        assert_eq!(met(&other, Target::TimesLess(5.0)), Some(true));
        assert_eq!(met(&other, Target::TimesLess(5.1)), Some(false));
        assert_eq!(met(&other, Target::None), None);
    }

    #[test]
    fn units_suit_the_values() {
        assert_eq!(Unit::SecondsPerJob.show(&[0.25]), "250 (250–250) ms");
        assert_eq!(Unit::Seconds.show(&[0.25]), "0.25 (0.25–0.25) s");
        assert_eq!(Unit::BytesPerJob.show(&[1024.0]), "1024 (1024–1024) B");
        assert_eq!(Unit::BytesPerJob.show(&[3.0 * MIB]), "3.00 (3.00–3.00) MiB");
        assert_eq!(Unit::Bytes.show(&[MIB / 2.0]), "0.50 (0.50–0.50) MiB");
    }

    #[test]
    fn a_line_says_all() {
        let figure = figure(&[0.0005], &[0.005], Target::TimesLess(8.0));
        let line = figure.line().join("; ");
        let expected = "a job; 500 (500–500) µs; bare: 5.00 (5.00–5.00) ms; \
                        10.0 (10.0–10.0)x less; ≥ 8x less; yes";
        assert_eq!(line, expected);
    }
}
