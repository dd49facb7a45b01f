//! What runs the evaluator: Python, or nothing but itself.

use serde::{Deserialize, Deserializer, Serialize, de};

/// What the evaluator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvaluatorKind {
    /// A program that Python runs: a file, a directory with a `__main__.py`, or a zipapp.
    #[default]
    Python,
    /// A program in any language that runs as itself: a file that is executable and begins with a `#!` line, or is
    /// compiled.
    Executable,
}

impl<'de> Deserialize<'de> for EvaluatorKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        match text.as_deref() {
            None | Some("python") => Ok(Self::Python),
            Some("executable") => Ok(Self::Executable),
            Some(other) => {
                let expected = &"`python` or `executable`";
                Err(de::Error::invalid_value(de::Unexpected::Str(other), expected))
            }
        }
    }
}
