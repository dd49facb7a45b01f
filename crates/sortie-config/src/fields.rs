//! Fields that take more than a value of their type.

use std::{fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected},
};

use crate::validate::MAX_CPUS;

/// `evaluate.py`
pub(crate) fn eval_program_path() -> PathBuf {
    PathBuf::from("evaluate.py")
}

/// Reads a path; null is the default evaluator.
pub(crate) fn null_is_evaluate_py<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_else(eval_program_path))
}

/// Reads a value; null is the empty one.
pub(crate) fn null_is_empty<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a number of CPUs, so that one error tells the whole range.
pub(crate) fn cpus<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a whole number from 1 to {MAX_CPUS}")
        }

        fn visit_i64<E: de::Error>(self, count: i64) -> Result<u32, E> {
            u32::try_from(count)
                .ok()
                .filter(|count| (1..=MAX_CPUS).contains(count))
                .ok_or_else(|| E::invalid_value(Unexpected::Signed(count), &self))
        }

        fn visit_u64<E: de::Error>(self, count: u64) -> Result<u32, E> {
            let signed = i64::try_from(count);
            signed
                .map_err(|_| E::invalid_value(Unexpected::Unsigned(count), &self))
                .and_then(|count| self.visit_i64(count))
        }
    }
    from.deserialize_u32(Visitor)
}
