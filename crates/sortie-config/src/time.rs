//! Time limits, in every form Slurm documents.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How long a job may run, in whole seconds, or without a limit.
///
/// Reads what `man sbatch` lists under `--time`: `MINUTES`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`
/// and `D-HH:MM:SS`. Zero, `UNLIMITED` and `INFINITE` mean no limit. As in Slurm, a part may exceed
/// its usual range (`90:00` is an hour and a half). Slurm counts in 32-bit signed seconds, so a
/// limit of more than 68 years is refused.
///
/// ```
/// use std::time::Duration;
/// use sortie_config::TimeLimit;
///
/// let limit: TimeLimit = "1-12".parse()?;
/// assert_eq!(limit.as_duration(), Some(Duration::from_secs(36 * 60 * 60)));
/// assert_eq!(limit.to_string(), "1-12:00:00");
/// # Ok::<(), sortie_config::InvalidTimeLimit>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeLimit(Option<NonZeroU32>);

/// A text or number that is no time limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTimeLimit {
    /// Not one of the documented forms.
    #[error(
        "`{0}` is no time limit, expected minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS or UNLIMITED"
    )]
    Form(String),
    /// More than Slurm can count.
    #[error("time limit `{0}` is too long, the longest is 24855-03:14:07")]
    TooLong(String),
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const LONGEST: u32 = i32::MAX.unsigned_abs();

impl TimeLimit {
    /// No limit.
    pub const UNLIMITED: Self = Self(None);
    /// One hour, the default of Slurm jobs.
    pub const ONE_HOUR: Self = Self(NonZeroU32::new(3600));

    /// A limit of that many seconds; zero is no limit.
    pub fn from_seconds(seconds: u64) -> Result<Self, InvalidTimeLimit> {
        u32::try_from(seconds)
            .ok()
            .filter(|seconds| *seconds <= LONGEST)
            .map(|seconds| Self(NonZeroU32::new(seconds)))
            .ok_or_else(|| InvalidTimeLimit::TooLong(format!("{seconds} s")))
    }

    /// The limit to the second; `None` means there is none.
    pub fn as_duration(self) -> Option<Duration> {
        self.0.map(|seconds| Duration::from_secs(seconds.get().into()))
    }
}

/// The parts of the text as (count, seconds each), by the forms of `man sbatch`.
fn parts(text: &str) -> Option<Vec<(&str, u64)>> {
    let units: &[u64] = match text.split_once('-') {
        Some((_, rest)) => &[DAY, HOUR, MINUTE, 1][..2 + rest.matches(':').count().min(2)],
        None if text.matches(':').count() == 2 => &[HOUR, MINUTE, 1],
        None => &[MINUTE, 1],
    };
    let counts: Vec<&str> = match text.split_once('-') {
        Some((days, rest)) => std::iter::once(days).chain(rest.split(':')).collect(),
        None => text.split(':').collect(),
    };
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (counts.len() <= units.len() && counts.iter().all(digits))
        .then(|| counts.into_iter().zip(units.iter().copied()).collect())
}

impl FromStr for TimeLimit {
    type Err = InvalidTimeLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("UNLIMITED") || text.eq_ignore_ascii_case("INFINITE") {
            return Ok(Self::UNLIMITED);
        }
        let too_long = || InvalidTimeLimit::TooLong(text.to_owned());
        let parts = parts(text).ok_or_else(|| InvalidTimeLimit::Form(text.to_owned()))?;
        let mut seconds: u64 = 0;
        for (count, unit) in parts {
            // Digits only, so a failure to parse is an overflow.
            let count: u64 = count.parse().map_err(|_| too_long())?;
            seconds = count
                .checked_mul(unit)
                .and_then(|part| seconds.checked_add(part))
                .ok_or_else(too_long)?;
        }
        Self::from_seconds(seconds).map_err(|_| too_long())
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seconds) = self.0 else { return f.write_str("UNLIMITED") };
        let seconds = u64::from(seconds.get());
        if seconds >= DAY {
            write!(f, "{}-", seconds / DAY)?;
        }
        let (hours, minutes) = (seconds % DAY / HOUR, seconds % HOUR / MINUTE);
        write!(f, "{hours:02}:{minutes:02}:{:02}", seconds % MINUTE)
    }
}

impl Serialize for TimeLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = TimeLimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time limit (minutes, HH:MM:SS, D-HH:MM:SS, …)")
            }

            fn visit_u64<E: de::Error>(self, minutes: u64) -> Result<TimeLimit, E> {
                self.visit_str(&minutes.to_string())
            }

            fn visit_i64<E: de::Error>(self, minutes: i64) -> Result<TimeLimit, E> {
                self.visit_str(&minutes.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeLimit, E> {
                text.parse().map_err(E::custom)
            }
        }
        // As text: YAML 1.1 would read an unquoted `030` as octal.
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        text.parse::<TimeLimit>().unwrap().as_duration().map(|duration| duration.as_secs())
    }

    #[test]
    fn every_documented_form() {
        for (text, expected) in [
            ("30", 30 * MINUTE),
            ("030", 30 * MINUTE),
            ("02:03", 2 * MINUTE + 3),
            ("90:00", 90 * MINUTE),
            ("01:02:03", HOUR + 2 * MINUTE + 3),
            ("100:00:00", 100 * HOUR),
            ("2-03", 2 * DAY + 3 * HOUR),
            ("2-03:04", 2 * DAY + 3 * HOUR + 4 * MINUTE),
            ("2-03:04:05", 2 * DAY + 3 * HOUR + 4 * MINUTE + 5),
            ("24855-03:14:07", u64::from(LONGEST)),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn zero_and_its_names_are_no_limit() {
        for text in ["0", "00:00", "00:00:00", "0-0", "0-00:00:00", "unlimited", "Infinite"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            " ",
            "-1",
            "1-",
            "-",
            ":",
            "1:",
            ":1",
            "1:2:3:4",
            "1-2:3:4:5",
            "1-2-3",
            "1:2-3",
            "1.5",
            "+5",
            " 5",
            "5 ",
            "1h",
            "5m",
            "٣",
            "-1:00",
        ] {
            let error = text.parse::<TimeLimit>().unwrap_err();
            assert_eq!(error, InvalidTimeLimit::Form(text.to_owned()));
        }
    }

    #[test]
    fn overflow_is_refused() {
        for text in ["24855-03:14:08", "99999999999999999999", "18446744073709551615-00"] {
            let error = text.parse::<TimeLimit>().unwrap_err();
            assert_eq!(error, InvalidTimeLimit::TooLong(text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(seconds in 0..=u64::from(LONGEST)) {
            let limit = TimeLimit::from_seconds(seconds).unwrap();
            prop_assert_eq!(limit.to_string().parse(), Ok(limit));
        }

        #[test]
        fn parts_add_up(days in 0u64..20000, hours in 0u64..99, minutes in 0u64..99, secs in 1u64..99) {
            let total = days * DAY + hours * HOUR + minutes * MINUTE + secs;
            let text = format!("{days}-{hours}:{minutes:02}:{secs}");
            prop_assert_eq!(super::tests::seconds(&text), Some(total));
        }
    }
}
