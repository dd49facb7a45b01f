//! The setting of local jobs that keeps their evaluator warm.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de, de::value::MapAccessDeserializer,
};

/// How evaluators are kept warm: a Python server imports once what the evaluator imports at its top
/// level, and forks for each job. In YAML `warm: true` for the defaults, or a mapping of these.
///
/// A server is for jobs alike in interpreter, environment, evaluator and directory, and is never shared between
/// launchers, nor between the schedulers of one launcher, even where their settings are equal. It runs one job at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Warm {
    /// Modules to import besides, such as those that the evaluator imports in its functions.
    pub preload: Vec<String>,
    /// How many servers there may be at a time, each with all that it imports in memory; jobs beyond
    /// that start cold. As many as jobs run at once by default.
    #[schemars(range(min = 1))]
    pub servers: Option<u32>,
    /// How long a server is kept without a job, in seconds; 300 by default.
    #[serde(with = "crate::limits::seconds")]
    #[schemars(with = "crate::schema::Seconds")]
    pub max_idle: Duration,
    /// How many jobs a server is forked for before a new one takes its place; 1000 by default.
    #[schemars(range(min = 1))]
    pub max_jobs: u32,
}

impl Default for Warm {
    fn default() -> Self {
        Self {
            preload: Vec::new(),
            servers: None,
            max_idle: Duration::from_secs(300),
            max_jobs: 1000,
        }
    }
}

/// `false` where it is not set.
#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(crate) fn serialize<S: Serializer>(warm: &Option<Warm>, to: S) -> Result<S::Ok, S::Error> {
    match warm {
        None => to.serialize_bool(false),
        Some(warm) => warm.serialize(to),
    }
}

/// A mapping, or `true` for one of defaults; `false` and null for none.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Warm>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Option<Warm>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false or a mapping of settings")
        }

        fn visit_bool<E: de::Error>(self, warm: bool) -> Result<Option<Warm>, E> {
            Ok(warm.then(Warm::default))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<Warm>, E> {
            Ok(None)
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Option<Warm>, A::Error> {
            Warm::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    from.deserialize_any(Visitor)
}
