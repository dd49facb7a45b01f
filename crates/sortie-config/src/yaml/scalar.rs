//! What an unquoted scalar means.
//!
//! The rules are those of the reference's loader (`OmegaConf` on `PyYAML`, so YAML 1.1): `yes` is true,
//! `010` is 8, `1_000` is 1000, `1e3` is 1000.0, and `10:00:00` is 36000, in base 60.

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
    if radix == 10 && digits.contains(':') {
        return base_60(sign, digits);
    }
    let digits = digits.replace('_', "");
    // `BigInt` would take a second sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let digits = if digits.is_empty() && radix == 8 { "0" } else { &digits };
    BigInt::parse_bytes(format!("{sign}{digits}").as_bytes(), radix)
}

/// `1:30:00`: digits, then two of them at most after each colon, and less than 60. No zero comes first.
fn base_60(sign: &str, text: &str) -> Option<BigInt> {
    let (first, rest) = text.split_once(':')?;
    let mut value = BigInt::parse_bytes(first.replace('_', "").as_bytes(), 10)?;
    for part in rest.split(':') {
        value = value * 60 + sixtieth(part)?;
    }
    Some(if sign == "-" { -value } else { value })
}

fn sixtieth(part: &str) -> Option<u32> {
    let is_digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    part.parse().ok().filter(|value| is_digits && *value < 60)
}

/// `1:30.5`, and `0:30.5` too: here a zero may come first.
fn float_base_60(sign: &str, whole: &str, fraction: &str) -> Option<f64> {
    let (first, rest) = whole.split_once(':')?;
    if !digits(first) || !digits_or_none(fraction) {
        return None;
    }
    let (rest, last) =
        rest.rsplit_once(':').map_or((None, rest), |(rest, last)| (Some(rest), last));
    let middle = rest.into_iter().flat_map(|rest| rest.split(':'));
    let middle = middle.map(sixtieth).collect::<Option<Vec<_>>>()?;
    sixtieth(last)?;
    // From the last to the first, as Python adds them up: the last bit of the sum depends on it.
    let mut value: f64 = format!("{last}.{fraction}").replace('_', "").parse().ok()?;
    let mut base = 60.0;
    for part in middle.into_iter().rev() {
        value += f64::from(part) * base;
        base *= 60.0;
    }
    value += first.replace('_', "").parse::<f64>().ok()? * base;
    Some(if sign == "-" { -value } else { value })
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
        Some((whole, fraction)) if whole.contains(':') && exponent.is_none() => {
            return float_base_60(sign, whole, fraction);
        }
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
            digits(whole) && digits_or_none(fraction) && exponent.is_none_or(is_exponent)
        }
    };
    if matches { text.replace('_', "").parse().ok() } else { None }
}

/// A digit, then digits and underscores.
fn digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn digits_or_none(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn is_exponent(text: &str) -> bool {
    let (_, number) = unsigned(text);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
