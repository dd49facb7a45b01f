//! Python's `str` and `repr`.

use std::fmt::{self, Write};

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::PyValue;

impl fmt::Display for PyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            other => repr(other, f),
        }
    }
}

/// `repr(value)`; what `str` prints for everything inside a list or dict.
fn repr(value: &PyValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        PyValue::None => f.write_str("None"),
        PyValue::Bool(true) => f.write_str("True"),
        PyValue::Bool(false) => f.write_str("False"),
        PyValue::Int(value) => write!(f, "{value}"),
        PyValue::Float(value) => f.write_str(&float(*value)),
        PyValue::Str(text) => repr_str(text, f),
        PyValue::List(items) => {
            f.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ", " })?;
                repr(item, f)?;
            }
            f.write_char(']')
        }
        PyValue::Dict(entries) => {
            f.write_char('{')?;
            for (index, (key, value)) in entries.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ", " })?;
                repr(key, f)?;
                f.write_str(": ")?;
                repr(value, f)?;
            }
            f.write_char('}')
        }
    }
}

/// `repr` of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16.
pub(crate) fn float(value: f64) -> String {
    if !value.is_finite() {
        // Rust writes `NaN`, Python `nan`; both write `inf` and `-inf`.
        return value.to_string().to_lowercase();
    }
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let decimals = digits.bytes().filter(u8::is_ascii_digit).count().saturating_sub(1);
    // Of two shortest texts equally near (…9.2 and …9.3 for …9.25) Rust takes the larger, Python the
    // even one, as formatting to a given precision does. Beside a power of two, that text may belong
    // to the next float: then the shortest it is.
    let even_if_same = |even: String, shortest: String| {
        if even.parse() == Ok(value) { even } else { shortest }
    };
    if (-4..16).contains(&exponent) {
        let decimals = i32::try_from(decimals).unwrap_or(0).saturating_sub(exponent).max(1);
        let decimals = usize::try_from(decimals).unwrap_or(1);
        return even_if_same(format!("{value:.decimals$}"), format!("{value:?}"));
    }
    let text = even_if_same(format!("{value:.decimals$e}"), shortest);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// `repr` of a string: single quotes unless only double quotes avoid an escape.
fn repr_str(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    f.write_char(quote)?;
    for char in text.chars() {
        match char {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            _ if char == quote => write!(f, "\\{quote}")?,
            _ if is_printable(char) => f.write_char(char)?,
            '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(char))?,
            '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(char))?,
            _ => write!(f, "\\U{:08x}", u32::from(char))?,
        }
    }
    f.write_char(quote)
}

/// `str.isprintable` of Python: everything but "Other" and "Separator", save the space. Characters
/// newer than the interpreter's own Unicode tables are escaped there and printed here.
fn is_printable(char: char) -> bool {
    char == ' '
        || !matches!(
            char.general_category_group(),
            GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
        ) && char.general_category() != GeneralCategory::Unassigned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for (value, expected) in [
            (1e-5, "1e-05"),
            (1e-4, "0.0001"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.5e300, "1.5e+300"),
            (5_585_733_454_056_557.0 / 4.0, "1396433363514139.2"),
            (2f64.powi(-44), "5.684341886080802e-14"),
            (5e-324, "5e-324"),
            (123_456_789.125, "123456789.125"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn nested_strings_are_quoted_and_escaped() {
        for (text, expected) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("\"", "'\"'"),
            ("'\"", "'\\'\"'"),
            ("\\\n\t\r\0\u{7f}", "'\\\\\\n\\t\\r\\x00\\x7f'"),
            ("é\u{a0}", "'é\\xa0'"),
            ("\u{200b}\u{1f600}\u{e0001}", "'\\u200b\u{1f600}\\U000e0001'"),
        ] {
            assert_eq!(PyValue::List(vec![text.into()]).to_string(), format!("[{expected}]"));
        }
    }

    #[test]
    fn containers() {
        let entries = vec![(1.into(), PyValue::None), ("k".into(), PyValue::List(Vec::new()))];
        assert_eq!(PyValue::Dict(entries).to_string(), "{1: None, 'k': []}");
        assert_eq!(PyValue::Dict(Vec::new()).to_string(), "{}");
    }
}
