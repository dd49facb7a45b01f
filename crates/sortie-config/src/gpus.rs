//! How many GPUs, and of which kind.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Unexpected},
};

/// A number of GPUs, of any kind or of one the site has a name for.
///
/// ```
/// use sortie_config::Gpus;
///
/// let gpus: Gpus = "a100:2".parse()?;
/// assert_eq!((gpus.kind.as_deref(), gpus.count), (Some("a100"), 2));
/// assert_eq!(Gpus::from(2).to_string(), "2");
/// # Ok::<(), sortie_config::InvalidGpus>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gpus {
    /// The kind, as the site names it: letters, digits, `_`, `-` and `.`.
    pub kind: Option<String>,
    /// How many; 0 asks for none.
    pub count: u32,
}

/// A text that is no number of GPUs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of GPUs, expected a whole number, or a kind and a number (a100:2)")]
pub struct InvalidGpus(pub String);

impl From<u32> for Gpus {
    fn from(count: u32) -> Self {
        Self { kind: None, count }
    }
}

impl FromStr for Gpus {
    type Err = InvalidGpus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, count) = match text.split_once(':') {
            Some((kind, count)) => (Some(kind), count),
            None => (None, text),
        };
        let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        if digits
            && kind.is_none_or(is_kind)
            && let Ok(count) = count.parse()
        {
            return Ok(Self { kind: kind.map(str::to_owned), count });
        }
        Err(InvalidGpus(text.to_owned()))
    }
}

/// Whether a kind can be told from a number and from the rest of a request.
pub(crate) fn is_kind(kind: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    kind.starts_with(|c: char| c.is_ascii_alphabetic()) && kind.bytes().all(plain)
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(f, "{kind}:{}", self.count),
            None => self.count.fmt(f),
        }
    }
}

impl Serialize for Gpus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            Some(_) => serializer.collect_str(self),
            None => serializer.serialize_u32(self.count),
        }
    }
}

impl<'de> Deserialize<'de> for Gpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Gpus;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 0 to {}, or a kind and a number (a100:2)", u32::MAX)
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Gpus, E> {
                u32::try_from(count)
                    .map(Gpus::from)
                    .map_err(|_| E::invalid_value(Unexpected::Signed(count), &self))
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Gpus, E> {
                u32::try_from(count)
                    .map(Gpus::from)
                    .map_err(|_| E::invalid_value(Unexpected::Unsigned(count), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Gpus, E> {
                text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_shown() {
        for text in ["0", "2", "a100:2", "a100:0", "nvidia_a100-sxm4.80gb:8"] {
            assert_eq!(text.parse::<Gpus>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", ":", "a100", "a100:", ":2", "2:a100", "-1", "+1", "a:b:1", "a 1:1", "1.5"]
        {
            assert_eq!(text.parse::<Gpus>(), Err(InvalidGpus(text.to_owned())));
        }
    }
}
