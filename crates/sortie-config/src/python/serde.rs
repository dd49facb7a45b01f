//! Reading and writing [`PyValue`].

use std::{fmt, str::FromStr};

use num_bigint::BigInt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess},
};

use super::PyValue;

/// The name under which an integer beyond 64 bits is written: few formats of serde hold one, so it
/// goes as a newtype variant of this name around its digits.
pub(crate) const BIG_INT: &str = "int";

impl Serialize for PyValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => {
                    let digits = value.to_string();
                    serializer.serialize_newtype_variant("PyValue", 0, BIG_INT, &digits)
                }
            },
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Dict(entries) => serializer.collect_map(entries.iter().map(|(k, v)| (k, v))),
        }
    }
}

impl<'de> Deserialize<'de> for PyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = PyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<PyValue, E> {
        Ok(PyValue::None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<PyValue, E> {
        Ok(PyValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<PyValue, E> {
        Ok(PyValue::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<PyValue, E> {
        Ok(PyValue::Int(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<PyValue, E> {
        Ok(PyValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<PyValue, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<PyValue, E> {
        Ok(value.into())
    }

    /// How this crate's YAML reader hands over an integer beyond 64 bits.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, digits: D) -> Result<PyValue, D::Error> {
        let digits = String::deserialize(digits)?;
        BigInt::from_str(&digits).map(PyValue::Int).map_err(de::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PyValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(PyValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<PyValue, A::Error> {
        let mut dict = Vec::new();
        while let Some(ScalarKey(key)) = entries.next_key()? {
            dict.push((key, entries.next_value()?));
        }
        Ok(PyValue::Dict(dict))
    }
}

/// A key of a dict: Python refuses lists and dicts there, since they cannot be hashed.
pub(crate) struct ScalarKey(pub(crate) PyValue);

impl<'de> Deserialize<'de> for ScalarKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = PyValue::deserialize(deserializer)?;
        let refusal = || de::Error::custom(format!("a key must be a single value, got {key}"));
        if key.is_scalar() { Ok(Self(key)) } else { Err(refusal()) }
    }
}
