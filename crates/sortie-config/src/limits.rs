//! What a job may cost besides its time.

use std::{fmt, time::Duration};

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sortie_model::ReadLimits;

/// Bounds on stopping, logs and results. In YAML, sizes are bytes or texts such as `1GiB`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// From SIGTERM to SIGKILL, in YAML `grace_seconds`; 5 seconds by default. With Slurm it ends before its
    /// `KillWait` (slurm.conf(5)) does, and is no longer than `early_term_seconds` where that applies.
    #[serde(rename = "grace_seconds", with = "seconds")]
    #[schemars(with = "crate::schema::Seconds")]
    pub grace: Duration,
    /// Bytes each log file may reach before the job is stopped; 1 GiB by default.
    #[serde(deserialize_with = "bytes")]
    #[schemars(with = "crate::schema::SomeBytes")]
    pub max_log_bytes: u64,
    /// Bytes of the end of each log kept in memory; 1 MiB by default.
    #[serde(deserialize_with = "bytes")]
    #[schemars(with = "crate::schema::Bytes")]
    pub log_tail_bytes: u64,
    /// Bytes of the largest `metrics.json` or `correct.json` that is read; 16 MiB by default.
    #[serde(deserialize_with = "bytes")]
    #[schemars(with = "crate::schema::SomeBytes")]
    pub max_result_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let ReadLimits { log_tail_bytes, max_result_bytes } = ReadLimits::default();
        let grace = Duration::from_secs(5);
        Self { grace, max_log_bytes: 1 << 30, log_tail_bytes, max_result_bytes }
    }
}

impl Limits {
    /// How much is read of what an attempt leaves.
    pub fn read(&self) -> ReadLimits {
        let Self { log_tail_bytes, max_result_bytes, .. } = *self;
        ReadLimits { log_tail_bytes, max_result_bytes }
    }
}

/// A whole number of bytes, or a text with a unit.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size in bytes, or with a unit such as 64MiB")
        }

        fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<u64, E> {
            Ok(bytes)
        }

        fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<u64, E> {
            u64::try_from(bytes).map_err(|_| E::invalid_value(de::Unexpected::Signed(bytes), &self))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
            let size: Result<ByteSize, _> = text.parse();
            size.map(|size| size.as_u64())
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// Durations as numbers of seconds.
pub(crate) mod seconds {
    use super::{Deserialize, Deserializer, Duration, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        if value.subsec_nanos() == 0 {
            to.serialize_u64(value.as_secs())
        } else {
            to.serialize_f64(value.as_secs_f64())
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            let expected = &"a number of seconds from 0";
            de::Error::invalid_value(de::Unexpected::Float(seconds), expected)
        })
    }
}
