//! YAML values as Python holds them, because the evaluator's arguments are Python's `str` of them.

mod print;
mod serde;

pub(crate) use self::serde::{BIG_INT, ScalarKey};
pub(crate) use print::float;

use num_bigint::BigInt;

/// A value as Python's YAML loader would hold it; [`Display`](std::fmt::Display) is `str(value)`.
///
/// ```
/// use sortie_config::PyValue;
///
/// let value = PyValue::List(vec![1.into(), "it's".into(), true.into(), 1e-5.into()]);
/// assert_eq!(value.to_string(), r#"[1, "it's", True, 1e-05]"#);
/// assert_eq!(PyValue::from("it's").to_string(), "it's");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum PyValue {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// An integer of any size.
    Int(BigInt),
    /// A float, not-a-number and the infinities among them.
    Float(f64),
    /// A string.
    Str(String),
    /// A list.
    List(Vec<PyValue>),
    /// A dict, in order; keys are scalars.
    Dict(Vec<(PyValue, PyValue)>),
}

impl PyValue {
    /// Whether Python could use it as a key of a dict.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Dict(_))
    }
}

impl From<bool> for PyValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for PyValue {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<i32> for PyValue {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for PyValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for PyValue {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for PyValue {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}
