//! What a value is measured in: how it is written, and which values are round.

use crate::scale::Scale;
use crate::words;

/// Times that mark orders of magnitude, in seconds.
const TIMES: [f64; 12] =
    [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36e3, 86400.0, 864e3];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

impl Unit {
    pub(crate) fn words(self, value: f64) -> String {
        match self {
            Self::Seconds => words::seconds(value),
            Self::Bytes => words::bytes(value),
        }
    }

    /// A round value, without what is zero of it: `30 s`, `5 min`, `64 MiB`.
    pub(crate) fn round(self, value: f64) -> String {
        let text = self.words(value);
        match self {
            Self::Seconds if value == 0.0 => "0".to_owned(),
            Self::Seconds => {
                let zero = [" 00 s", " 00 min", " 00 h"];
                let short = zero.iter().find_map(|zero| text.strip_suffix(zero));
                short.map_or_else(|| without_zeros(&text), str::to_owned)
            }
            Self::Bytes => without_zeros(&text),
        }
    }

    /// Round values of a scale, about so many.
    pub(crate) fn ticks(self, scale: Scale, about: usize) -> Vec<f64> {
        match self {
            Self::Seconds => scale.time_ticks(about),
            Self::Bytes => {
                let power = (scale.high.abs().max(1.0).log2() / 10.0).floor();
                let unit = 1024_f64.powf(power);
                let scaled = Scale { low: scale.low / unit, high: scale.high / unit };
                scaled.ticks(about).into_iter().map(|tick| tick * unit).collect()
            }
        }
    }

    /// Round values of a scale of decimal logarithms.
    pub(crate) fn magnitudes(self, scale: Scale) -> Vec<f64> {
        let all: Vec<f64> = match self {
            Self::Seconds => TIMES.into(),
            Self::Bytes => (0..25).map(|power| 4_f64.powi(power)).collect(),
        };
        let is_within = |value: &f64| (scale.low..=scale.high).contains(&value.log10());
        let within: Vec<f64> = all.into_iter().filter(is_within).collect();
        let step = within.len().div_ceil(6).max(1);
        within.into_iter().step_by(step).collect()
    }
}

/// `30.0 s` as `30 s`, and `1.50 s` as `1.5 s`.
fn without_zeros(text: &str) -> String {
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_values_are_short() {
        let times = [0.0, 0.5, 1.0, 2.5, 30.0, 60.0, 90.0, 3600.0, 5400.0, 86400.0];
        let expected = [
            "0",
            "500 ms",
            "1 s",
            "2.5 s",
            "30 s",
            "1 min",
            "1 min 30 s",
            "1 h",
            "1 h 30 min",
            "1 d",
        ];
        assert_eq!(times.map(|time| Unit::Seconds.round(time)), expected);
        let ticks = Unit::Bytes.ticks(Scale::up_to(300.0 * 1_048_576.0), 3);
        let ticks: Vec<_> = ticks.into_iter().map(|tick| Unit::Bytes.round(tick)).collect();
        assert_eq!(ticks, ["0 B", "100 MiB", "200 MiB", "300 MiB"]);
    }

    #[test]
    fn orders_of_magnitude() {
        let scale = Scale { low: -2.0, high: 2.0 };
        assert_eq!(Unit::Seconds.magnitudes(scale), [0.01, 0.1, 1.0, 10.0, 60.0]);
    }
}
