//! JSON as Python's `json` module writes and reads it.

mod parse;
mod write;

use std::fmt;

use indexmap::IndexMap;

pub use parse::ParseError;

/// The members of a JSON object, in the order written.
pub type Object = IndexMap<String, Value>;

/// A JSON value with what Python adds: `NaN`, `Infinity` and `-Infinity`, and integers of any size.
///
/// # Reading
/// [`Value::parse`] takes what Python's `json.loads` takes, and like it keeps integers exactly, the
/// members of objects in order, and of members with the same name the last value. It differs where
/// this would lose a file that is otherwise good, or the process:
/// - An escape such as `"\ud800"`, half of a surrogate pair and so no character, is read as U+FFFD.
/// - Integers may have more than Python's 4300 digits.
/// - Arrays and objects may be nested 500 deep; Python stops at about 1000.
///
/// # Writing
/// Serialised with `serde_json` it is strict JSON, which any language reads: a number that is not
/// finite becomes the string `"NaN"`, `"Infinity"` or `"-Infinity"`, as in the JSON mapping of
/// Protocol Buffers.
///
/// ```
/// use sortie_results::Value;
///
/// let value = Value::parse(br#"{"combined_score": NaN, "seed": 36893488147419103232}"#)?;
/// assert!(value.get("combined_score").and_then(Value::as_f64).is_some_and(f64::is_nan));
/// let json = serde_json::to_string(&value).unwrap();
/// assert_eq!(json, r#"{"combined_score":"NaN","seed":36893488147419103232}"#);
/// # Ok::<(), sortie_results::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number that does not.
    BigInt(BigInt),
    /// Any other number, and those that are not finite.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object. In a box, so that long arrays of numbers stay small.
    Object(Box<Object>),
}

/// A whole number beyond 64 bits, as its decimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInt(Box<str>);

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// About how much memory the members of an object take, in bytes.
pub(crate) fn size_of_members(members: &Object) -> usize {
    // The hash of each, and its place in the table.
    let one = |(name, value): (&String, &Value)| {
        size_of::<(u64, String, usize)>() + name.len() + value.size()
    };
    members.iter().map(one).sum()
}

impl Value {
    /// Reads one JSON value, and nothing after it but white space.
    pub fn parse(json: &[u8]) -> Result<Self, ParseError> {
        parse::parse(json)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
                Self::BigInt(digits) => digits.0.len(),
                Self::String(text) => text.len(),
                Self::Array(elements) => elements.iter().map(Self::size).sum(),
                Self::Object(members) => size_of_members(members),
            }
    }

    /// The member of that name, if this is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, if this is one of 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number nearest to this one, if this is a number; infinite if it is too large.
    #[expect(clippy::cast_precision_loss, reason = "the nearest number is asked for")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::BigInt(digits) => digits.0.parse().ok(),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::BigInt(_) | Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small_so_that_long_arrays_are() {
        assert!(size_of::<Value>() <= 32);
    }

    #[test]
    fn answers_only_for_what_it_is() {
        let value =
            Value::parse(br#"{"b": true, "i": -3, "f": 0.5, "s": "x", "a": [1], "n": null}"#);
        let value = value.unwrap();
        let get = |name| value.get(name).unwrap();
        assert_eq!((get("b").as_bool(), get("i").as_bool()), (Some(true), None));
        assert_eq!((get("i").as_i64(), get("f").as_i64()), (Some(-3), None));
        assert_eq!((get("i").as_f64(), get("f").as_f64()), (Some(-3.0), Some(0.5)));
        assert_eq!((get("s").as_f64(), get("s").as_str()), (None, Some("x")));
        assert_eq!(get("a").as_array(), Some(&[Value::Int(1)][..]));
        assert_eq!((get("a").as_object(), get("a").get("b")), (None, None));
        assert_eq!(get("n"), &Value::Null);
        let huge = Value::parse("9".repeat(400).as_bytes()).unwrap();
        assert_eq!(huge.as_f64(), Some(f64::INFINITY));
    }
}
