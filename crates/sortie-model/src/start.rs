//! How an evaluator was started.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an attempt's evaluator was started: cold, which executes its interpreter and imports all anew, or
/// warm, from a server that has imported already.
///
/// In JSON an object with a `kind`: `{"kind": "warm"}`, `{"kind": "fallback", "reason": "…"}`. As text
/// a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Start {
    /// Cold: it is not kept warm, or as many servers as there may be were busy.
    Cold,
    /// Warm, from a server that was there.
    Warm,
    /// Warm, from a server that was started for it.
    Fresh,
    /// Cold, as its server was of no use.
    Fallback {
        /// What is wrong with the server, in one line.
        reason: String,
    },
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cold => f.write_str("cold"),
            Self::Warm => f.write_str("warm"),
            Self::Fresh => f.write_str("warm from a new server"),
            Self::Fallback { reason } => write!(f, "cold: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_text_are_stable() {
        let fallback = Start::Fallback { reason: "module `m` starts threads".into() };
        for (start, json, text) in [
            (Start::Cold, r#"{"kind":"cold"}"#, "cold"),
            (Start::Warm, r#"{"kind":"warm"}"#, "warm"),
            (Start::Fresh, r#"{"kind":"fresh"}"#, "warm from a new server"),
            (
                fallback,
                r#"{"kind":"fallback","reason":"module `m` starts threads"}"#,
                "cold: module `m` starts threads",
            ),
        ] {
            assert_eq!(serde_json::to_string(&start).unwrap(), json);
            assert_eq!(serde_json::from_str::<Start>(json).unwrap(), start);
            assert_eq!(start.to_string(), text);
        }
    }
}
