//! The name of one execution of a job.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Names one attempt, nowhere else used: a version 7 UUID, so that later ones sort later.
///
/// Shown, read and serialised as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(#[serde(with = "uuid::serde::simple")] Uuid);

impl AttemptId {
    /// That of none.
    pub const NIL: Self = Self(Uuid::nil());

    /// A new one.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// What a job of Slurm and a container are called by their attempt. Nothing else has this name.
    pub fn name(self) -> String {
        format!("sortie-{self}")
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl FromStr for AttemptId {
    type Err = AttemptIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 32 => Ok(Self(uuid)),
            _ => Err(AttemptIdError(text.to_owned())),
        }
    }
}

impl JsonSchema for AttemptId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AttemptId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{32}$"})
    }
}

/// A text that does not name an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("attempt id {0:?} is not 32 hexadecimal digits")]
pub struct AttemptIdError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        let id = AttemptId::generate();
        let text = id.to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<AttemptId>(&format!("\"{text}\"")).unwrap(), id);
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "1", "0190f1c2-7d3e-7000-8000-000000000001", &"g".repeat(32)] {
            let error = text.parse::<AttemptId>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("attempt id {text:?} is not 32 hexadecimal digits")
            );
        }
    }

    #[test]
    fn later_ones_sort_later() {
        let ids: Vec<_> = (0..1000).map(|_| AttemptId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
