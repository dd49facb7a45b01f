//! `extra_cmd_args` from YAML: keys of any scalar type, as Python prints them.

use std::fmt;

use indexmap::IndexMap;
use serde::{
    Deserializer,
    de::{self, MapAccess},
};

use crate::python::{PyValue, ScalarKey};

/// The arguments in order; null is none of them.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<IndexMap<String, PyValue>, D::Error> {
    deserializer.deserialize_any(Visitor)
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = IndexMap<String, PyValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of argument names to values")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(IndexMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut arguments = IndexMap::new();
        while let Some(ScalarKey(key)) = entries.next_key()? {
            let key = key.to_string();
            let value = entries.next_value()?;
            if arguments.contains_key(&key) {
                return Err(de::Error::custom(format!("duplicate argument `{key}`")));
            }
            arguments.insert(key, value);
        }
        Ok(arguments)
    }
}
