//! What an unquoted scalar means.
//!
//! The rules are those of the reference's loader (`OmegaConf` on `PyYAML`, so YAML 1.1): `yes` is true,
//! `010` is 8, `1_000` is 1000, `1e3` is 1000.0. One departure: `16:9` is text, not 969 in base 60.

use num_bigint::BigInt;

/// A scalar as it was written.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Unquoted, so that it may be something else than text.
    pub(super) plain: bool,
}

/// What it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(BigInt),
    Float(f64),
    Text,
}

impl Scalar {
    pub(super) fn resolve(&self) -> Resolved {
        let text = self.text.as_str();
        if !self.plain {
            return Resolved::Text;
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
                Resolved::Bool(true)
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
                Resolved::Bool(false)
            }
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            _ => int(text)
                .map(Resolved::Int)
                .or_else(|| float(text).map(Resolved::Float))
                .unwrap_or(Resolved::Text),
        }
    }
}

fn unsigned(text: &str) -> (&str, &str) {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    (if text.starts_with('-') { "-" } else { "" }, digits)
}

fn int(text: &str) -> Option<BigInt> {
    let (sign, digits) = unsigned(text);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        [b'0'..=b'9', ..] => (10, digits),
        _ => return None,
    };
    let digits = digits.replace('_', "");
    // `BigInt` would take a second sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let digits = if digits.is_empty() && radix == 8 { "0" } else { &digits };
    BigInt::parse_bytes(format!("{sign}{digits}").as_bytes(), radix)
}

fn float(text: &str) -> Option<f64> {
    let (sign, number) = unsigned(text);
    if matches!(number, ".inf" | ".Inf" | ".INF") {
        return Some(if sign == "-" { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], Some(&number[at + 1..])),
        None => (number, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let matches = match (whole, fraction) {
        // `1e3`: an underscore only between two digits.
        (_, None) => {
            digits(whole)
                && !whole.contains("__")
                && !whole.ends_with('_')
                && exponent.is_some_and(is_exponent)
        }
        // `.5`, `.5e+3`: no sign before it, and always one in the exponent.
        ("", Some(fraction)) => {
            let signed = |exponent: &str| exponent.starts_with(['-', '+']) && is_exponent(exponent);
            number == text && digits(fraction) && exponent.is_none_or(signed)
        }
        // `1.`, `1.5`, `1.5e3`
        (_, Some(fraction)) => {
            digits(whole)
                && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
                && exponent.is_none_or(is_exponent)
        }
    };
    if matches { text.replace('_', "").parse().ok() } else { None }
}

/// A digit, then digits and underscores.
fn digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn is_exponent(text: &str) -> bool {
    let (_, number) = unsigned(text);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Resolved {
        Scalar { text: text.to_owned(), plain: true }.resolve()
    }

    #[test]
    fn integers() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("12", 12),
            ("+12", 12),
            ("-12", -12),
            ("1_000", 1000),
            ("010", 8),
            ("-010", -8),
            ("00", 0),
            ("0_", 0),
            ("0x1F", 31),
            ("0b101", 5),
            ("-0x_f", -15),
        ] {
            assert_eq!(resolve(text), Resolved::Int(value.into()), "{text}");
        }
        let huge = "9".repeat(60);
        assert_eq!(resolve(&huge), Resolved::Int(huge.parse().unwrap()));
    }

    #[test]
    fn floats() {
        for (text, value) in [
            ("1.", 1.0),
            ("1.5", 1.5),
            ("-1.5", -1.5),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E-5", 1e-5),
            ("1.5e+3", 1500.0),
            (".5e+3", 500.0),
            ("1_0e3", 10000.0),
            ("1_.5", 1.5),
            ("1_0.5", 10.5),
            (".inf", f64::INFINITY),
            ("-.INF", f64::NEG_INFINITY),
        ] {
            assert_eq!(resolve(text), Resolved::Float(value), "{text}");
        }
        assert!(matches!(resolve(".nan"), Resolved::Float(value) if value.is_nan()));
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "16:9",
            "10:00:00",
            "008",
            "0o7",
            "0x",
            "0b",
            "0b2",
            "1e",
            ".5e3",
            "1__0e5",
            "1_e3",
            "1e+",
            ".",
            "-.5",
            "._5",
            "1.2.3",
            "--1",
            "+-1",
            "0x-1",
            "y",
            "n",
            "nan",
            "inf",
            "2020-01-01",
            "_1",
            "e5",
            "-",
        ] {
            assert_eq!(resolve(text), Resolved::Text, "{text}");
        }
        assert_eq!(Scalar { text: "1".into(), plain: false }.resolve(), Resolved::Text);
    }
}
