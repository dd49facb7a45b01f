//! Reading JSON as Python does.
//!
//! A parser of its own, as none at hand reads all of it: `serde_json` refuses NaN and loses large
//! integers; jiter, which pydantic uses, refuses lone surrogates and integers of more than 4300
//! digits, and has ten crates and a good deal of unsafe code under it.

use thiserror::Error;

use super::{BigInt, Object, Value};

/// How deep arrays and objects may be nested: far below what a thread's stack of 2 MiB holds.
const MAX_DEPTH: u32 = 500;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} column {column}: {what}")]
pub struct ParseError {
    line: usize,
    column: usize,
    what: &'static str,
}

type Result<T> = std::result::Result<T, Wrong>;

/// What is wrong at the parser's position.
struct Wrong(&'static str);

pub(super) fn parse(json: &[u8]) -> std::result::Result<Value, ParseError> {
    let valid = |at| str::from_utf8(&json[..at]).unwrap_or_default();
    let text = str::from_utf8(json)
        .map_err(|error| ParseError::at(valid(error.valid_up_to()), "not valid UTF-8"))?;
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.document().map_err(|Wrong(what)| ParseError::at(valid(parser.at), what))
}

impl ParseError {
    /// Both count from 1, the column in characters.
    fn at(before: &str, what: &'static str) -> Self {
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self { line, column: before[line_start..].chars().count() + 1, what }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Value> {
        let value = self.value()?;
        self.skip_space();
        if self.at < self.text.len() { Err(Wrong("expected the end")) } else { Ok(value) }
    }

    fn value(&mut self) -> Result<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'0'..=b'9') => Ok(self.number()),
            Some(b'-') if matches!(self.rest().as_bytes().get(1), Some(b'0'..=b'9')) => {
                Ok(self.number())
            }
            Some(_) => self.word(),
            None => Err(Wrong("ends where a value is expected")),
        }
    }

    fn word(&mut self) -> Result<Value> {
        let words = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        let found = words.into_iter().find(|(word, _)| self.rest().starts_with(word));
        let (word, value) = found.ok_or(Wrong("expected a value"))?;
        self.at += word.len();
        Ok(value)
    }

    /// The opening bracket, and what `inside` reads.
    fn nested(&mut self, inside: fn(&mut Self) -> Result<Value>) -> Result<Value> {
        if self.depth == MAX_DEPTH {
            return Err(Wrong("nested more than 500 deep"));
        }
        self.depth += 1;
        self.at += 1;
        let value = inside(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Value> {
        let mut elements = Vec::new();
        if !self.next_is(b']') {
            loop {
                elements.push(self.value()?);
                if !self.next_is(b',') {
                    break;
                }
            }
            self.expect(b']', "expected `,` or `]`")?;
        }
        Ok(Value::Array(elements))
    }

    fn object(&mut self) -> Result<Value> {
        let mut members = Object::new();
        if !self.next_is(b'}') {
            loop {
                self.skip_space();
                if self.peek() != Some(b'"') {
                    return Err(Wrong("expected a name in double quotes"));
                }
                let name = self.string()?;
                self.expect(b':', "expected `:`")?;
                let value = self.value()?;
                members.insert(name, value);
                if !self.next_is(b',') {
                    break;
                }
            }
            self.expect(b'}', "expected `,` or `}`")?;
        }
        Ok(Value::Object(Box::new(members)))
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut string = self.plain().to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(Wrong("control character in a string")),
                None => return Err(Wrong("ends inside a string")),
            }
            string.push_str(self.plain());
        }
    }

    /// Characters of a string up to one that means something else.
    fn plain(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        let plain = &rest[..end.unwrap_or(rest.len())];
        self.at += plain.len();
        plain
    }

    fn escape(&mut self) -> Result<char> {
        let escaped = match self.rest().as_bytes().get(1) {
            Some(b'u') => return self.unicode_escape().ok_or(Wrong("expected `\\u` and 4 digits")),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(Wrong("no such escape")),
        };
        self.at += 2;
        Ok(escaped)
    }

    /// One or, where two are a surrogate pair, both `\uXXXX`; half a pair alone is no character.
    fn unicode_escape(&mut self) -> Option<char> {
        let unit = self.code_unit()?;
        self.at += 6;
        let low = if matches!(unit, 0xd800..0xdc00) { self.code_unit() } else { None };
        if low.is_some_and(|low| matches!(low, 0xdc00..0xe000)) {
            self.at += 6;
            return char::decode_utf16([Some(unit), low].into_iter().flatten()).next()?.ok();
        }
        Some(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// The number in the `\uXXXX` here.
    fn code_unit(&self) -> Option<u16> {
        let digits = self.rest().strip_prefix("\\u")?.get(..4)?;
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)
    }

    /// A number, of which at least one digit is there.
    fn number(&mut self) -> Value {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.at += digits(self.rest());
        }
        let whole_end = self.at;
        self.at += fraction(self.rest());
        self.at += exponent(self.rest());
        let text = &self.text[start..self.at];
        if self.at > whole_end {
            // Always a number of Rust's too; what is too large is infinite, as in Python.
            return Value::Float(text.parse().unwrap_or(f64::NAN));
        }
        text.parse().map_or_else(|_| Value::BigInt(BigInt(text.into())), Value::Int)
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<()> {
        if self.next_is(byte) { Ok(()) } else { Err(Wrong(otherwise)) }
    }

    /// Steps over the byte, and white space before it, if it is next.
    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// The length of the digits at the start.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of `.` and digits at the start, if they are there.
fn fraction(text: &str) -> usize {
    let length = text.strip_prefix('.').map_or(0, digits);
    if length > 0 { 1 + length } else { 0 }
}

/// The length of an exponent at the start, if one is there.
fn exponent(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['e', 'E']) else { return 0 };
    let sign = usize::from(after.starts_with(['+', '-']));
    let length = digits(&after[sign..]);
    if length > 0 { 1 + sign + length } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_it_is_wrong() {
        let cases: [(&[u8], &str); 12] = [
            (b"", "line 1 column 1: ends where a value is expected"),
            (b"{\n  \"\xc3\xa9\": tru}", "line 2 column 8: expected a value"),
            (b"[1 2]", "line 1 column 4: expected `,` or `]`"),
            (b"[1,]", "line 1 column 4: expected a value"),
            (b"{1: 2}", "line 1 column 2: expected a name in double quotes"),
            (b"{\"a\": 1", "line 1 column 8: expected `,` or `}`"),
            (b"{\"a\" 1", "line 1 column 6: expected `:`"),
            (b"\"a\nb\"", "line 1 column 3: control character in a string"),
            (b"\"\\u12\"", "line 1 column 2: expected `\\u` and 4 digits"),
            (b"\"\\x\"", "line 1 column 2: no such escape"),
            (b"{} {}", "line 1 column 4: expected the end"),
            (b"[\"\xff\"]", "line 1 column 3: not valid UTF-8"),
        ];
        for (json, message) in cases {
            assert_eq!(parse(json).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        for open in ["[", "{\"a\":"] {
            let error = parse(open.repeat(1_000_000).as_bytes()).unwrap_err();
            assert_eq!(error.what, "nested more than 500 deep");
        }
        let deepest = "[".repeat(500) + &"]".repeat(500);
        let value = parse(deepest.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), deepest);
        assert_eq!(value.clone(), value);
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let cases = [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud800""#, "\u{fffd}"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud800\u0041""#, "\u{fffd}A"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
        ];
        for (json, text) in cases {
            assert_eq!(parse(json.as_bytes()).unwrap().as_str(), Some(text));
        }
    }

    #[test]
    fn integers_are_kept_digit_for_digit() {
        let long = format!("-{}", "7".repeat(5000));
        for digits in ["9223372036854775807", "9223372036854775808", "-9223372036854775809", &long]
        {
            let value = parse(digits.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), digits);
        }
        assert_eq!(parse(b"-0").unwrap(), Value::Int(0));
    }

    #[test]
    fn of_members_with_the_same_name_the_last_counts() {
        let value = parse(br#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":3,"b":2}"#);
    }
}
