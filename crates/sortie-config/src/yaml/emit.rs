//! Settings to YAML.

use std::fmt::Write;

use serde_yaml::Value;

use crate::{
    JobConfig,
    python::{BIG_INT, float},
};

/// Settings that cannot be written, such as a path that is not UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("these settings cannot be written as YAML: {0}")]
pub struct WriteError(String);

impl JobConfig {
    /// The settings in full and in canonical form, which read back as the same.
    ///
    /// A field a line, every text in quotes: other writers leave `yes` or `1:30` bare, which readers
    /// of YAML 1.1 take for something else. Fails on a path that is not UTF-8.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        let value = serde_yaml::to_value(self).map_err(|error| WriteError(error.to_string()))?;
        let mut text = String::new();
        for (key, value) in value.as_mapping().into_iter().flatten() {
            text.push_str(key.as_str().unwrap_or_default());
            text.push_str(": ");
            flow(value, &mut text);
            text.push('\n');
        }
        Ok(text)
    }
}

/// The value on one line.
fn flow(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(value) if value.is_finite() => out.push_str(&float(value)),
            Some(value) => {
                out.push_str(&float(value).replace("inf", ".inf").replace("nan", ".nan"));
            }
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => quoted(text, out),
        Value::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(item, out);
            }
            out.push(']');
        }
        Value::Mapping(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(key, out);
                out.push_str(": ");
                flow(value, out);
            }
            out.push('}');
        }
        Value::Tagged(tagged) if tagged.tag == BIG_INT => {
            out.push_str(tagged.value.as_str().unwrap_or_default());
        }
        Value::Tagged(tagged) => flow(&tagged.value, out),
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            // What YAML does not count as printable, or some readers take for a line break.
            _ if char.is_control()
                || matches!(
                    char,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}
