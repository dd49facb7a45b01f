//! A tree as a serde deserializer: places and field names for every error.

use std::sync::Arc;

use num_bigint::BigInt;
use serde::{
    de::{
        DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor,
    },
    forward_to_deserialize_any,
};

use super::{
    error::Problem,
    node::{Content, Node},
    scalar::Resolved,
};

impl<'de> Deserializer<'de> for Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let visited = match self.content {
            Content::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => visitor.visit_unit(),
                Resolved::Bool(value) => visitor.visit_bool(value),
                Resolved::Int(value) => visit_int(&value, visitor),
                Resolved::Float(value) => visitor.visit_f64(value),
                Resolved::Text => visitor.visit_string(scalar.text),
            },
            Content::Sequence(items) => {
                visitor.visit_seq(Items(Arc::unwrap_or_clone(items).into_iter().enumerate()))
            }
            Content::Mapping(entries) => {
                let entries = Arc::unwrap_or_clone(entries).into_iter();
                visitor.visit_map(Entries { entries, value: None })
            }
        };
        visited.map_err(|problem| problem.or_at(self.at))
    }

    /// Where a text is wanted, an unquoted `3.10` or `010` is one: as it was written.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.content {
            Content::Scalar(scalar) if scalar.resolve() != Resolved::Null => {
                visitor.visit_string(scalar.text).map_err(|problem: Problem| problem.or_at(self.at))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Scalar(scalar) if scalar.resolve() == Resolved::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A list in a struct's place is a mistake, though serde would take one.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.content {
            Content::Sequence(_) => {
                Err(Problem::invalid_type(Unexpected::Seq, &visitor).or_at(self.at))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum ignored_any
    }
}

/// An integer of more than 64 bits goes as a newtype struct of its digits.
fn visit_int<'de, V: Visitor<'de>>(value: &BigInt, visitor: V) -> Result<V::Value, Problem> {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => visitor.visit_i64(value),
        (_, Ok(value)) => visitor.visit_u64(value),
        _ => visitor.visit_newtype_struct(value.to_string().into_deserializer()),
    }
}

struct Items(std::iter::Enumerate<std::vec::IntoIter<Node>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        let value = seed.deserialize(item).map_err(|problem| problem.in_field(index.to_string()));
        value.map(Some)
    }
}

struct Entries {
    entries: std::vec::IntoIter<(Node, Node)>,
    /// The value of the key that has just been read, and the key's text.
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key.as_text().unwrap_or_default().to_owned(), value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let Some((name, value)) = self.value.take() else {
            return Err(Problem::custom("a value was asked for before its key"));
        };
        let at = value.at;
        // Some visitors check what a node gave them, after it is gone: the place is still its.
        seed.deserialize(value).map_err(|problem| problem.or_at(at).in_field(name))
    }
}
