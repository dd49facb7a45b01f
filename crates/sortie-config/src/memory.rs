//! Amounts of memory, as `sbatch --mem` takes them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Memory of one node: an integer with an optional unit, mebibytes without one; 0 is all of it.
///
/// `man sbatch` documents the suffixes `K`, `M`, `G` and `T` (powers of 1024, any case); its parser
/// also takes a `B` after them, and so does this one. Slurm itself counts in mebibytes and rounds
/// `K` up.
///
/// ```
/// use sortie_config::Memory;
///
/// let memory: Memory = "8192m".parse()?;
/// assert_eq!(memory.to_string(), "8G");
/// assert_eq!(memory.as_bytes(), Some(8 << 30));
/// # Ok::<(), sortie_config::InvalidMemory>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    kibibytes: u64,
}

/// A text or number that is no amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMemory {
    /// Not an integer with an optional unit.
    #[error("`{0}` is no amount of memory, expected an integer and K, M, G or T (M if left out)")]
    Form(String),
    /// More than 64 bits of bytes.
    #[error("`{0}` is more memory than can be counted")]
    TooMuch(String),
}

const MEBI: u64 = 1 << 10;
const GIBI: u64 = 1 << 20;
const TEBI: u64 = 1 << 30;

impl Memory {
    /// All the memory of the node.
    pub const WHOLE_NODE: Self = Self { kibibytes: 0 };

    /// That many gibibytes.
    pub const fn from_gibibytes(count: u16) -> Self {
        Self { kibibytes: count as u64 * GIBI }
    }

    /// The amount in bytes; `None` means all of the node's.
    pub fn as_bytes(self) -> Option<u64> {
        (self.kibibytes != 0).then_some(self.kibibytes << 10)
    }
}

impl FromStr for Memory {
    type Err = InvalidMemory;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let unit = match unit.to_ascii_uppercase().as_str() {
            "K" | "KB" => 1,
            "" | "M" | "MB" => MEBI,
            "G" | "GB" => GIBI,
            "T" | "TB" => TEBI,
            _ => return Err(InvalidMemory::Form(text.to_owned())),
        };
        if digits.is_empty() {
            return Err(InvalidMemory::Form(text.to_owned()));
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(unit))
            .filter(|kibibytes| *kibibytes <= u64::MAX >> 10)
            .map(|kibibytes| Self { kibibytes })
            .ok_or_else(|| InvalidMemory::TooMuch(text.to_owned()))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.kibibytes;
        for (unit, suffix) in [(TEBI, "T"), (GIBI, "G"), (MEBI, "M")] {
            if count != 0 && count.is_multiple_of(unit) {
                return write!(f, "{}{suffix}", count / unit);
            }
        }
        write!(f, "{count}{}", if count == 0 { "" } else { "K" })
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Memory;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of memory (8G, 500M, …)")
            }

            fn visit_u64<E: de::Error>(self, mebibytes: u64) -> Result<Memory, E> {
                self.visit_str(&mebibytes.to_string())
            }

            fn visit_i64<E: de::Error>(self, mebibytes: i64) -> Result<Memory, E> {
                self.visit_str(&mebibytes.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Memory, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_and_canonical_form() {
        for (text, canonical) in [
            ("8G", "8G"),
            ("8g", "8G"),
            ("8GB", "8G"),
            ("8gb", "8G"),
            ("8192", "8G"),
            ("500M", "500M"),
            ("500", "500M"),
            ("1500k", "1500K"),
            ("1024K", "1M"),
            ("1536M", "1536M"),
            ("1024G", "1T"),
            ("2t", "2T"),
            ("0", "0"),
            ("0T", "0"),
            ("007", "7M"),
        ] {
            assert_eq!(text.parse::<Memory>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_sbatch_refuses() {
        for text in ["", "G", "-1", "8.5G", "8 G", "8P", "8GiB", "8GG", "0x10", "1e3", "8B", "٣G"]
        {
            let error = text.parse::<Memory>().unwrap_err();
            assert_eq!(error, InvalidMemory::Form(text.to_owned()));
        }
        for text in ["99999999999999999999", "18446744073709551615T", "16777216T"] {
            let error = text.parse::<Memory>().unwrap_err();
            assert_eq!(error, InvalidMemory::TooMuch(text.to_owned()));
        }
    }

    #[test]
    fn bytes() {
        assert_eq!("1K".parse::<Memory>().unwrap().as_bytes(), Some(1024));
        assert_eq!(Memory::from_gibibytes(8), "8G".parse().unwrap());
        assert_eq!(Memory::WHOLE_NODE.as_bytes(), None);
    }

    proptest! {
        #[test]
        fn display_parses_back(kibibytes in 0..=u64::MAX >> 10) {
            let memory = Memory { kibibytes };
            prop_assert_eq!(memory.to_string().parse(), Ok(memory));
        }
    }
}
