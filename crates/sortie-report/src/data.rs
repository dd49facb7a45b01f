//! The candidates as data for the page's script.

use std::fmt;

use serde::Serialize;

use crate::Report;
use crate::row::Row;
use crate::sections::Section;
use crate::standing::Standing;
use crate::words;

/// What the script starts with.
#[derive(Serialize)]
struct Data<'a> {
    standings: [Named; 6],
    hosts: &'a [String],
    rows: Vec<Cells<'a>>,
}

#[derive(Serialize)]
struct Named {
    label: &'static str,
    class: &'static str,
    sign: &'static str,
}

/// What a live page is told.
#[derive(Serialize)]
struct Changes<'a> {
    hosts: &'a [String],
    rows: Vec<Cells<'a>>,
    sections: Vec<(&'static str, &'a str)>,
}

/// Numbers, by which is sorted, and what is shown for them. The script names these by their place.
#[derive(Serialize)]
struct Cells<'a>(
    &'a str,
    &'a str,
    Option<f64>,
    String,
    Standing,
    &'a str,
    &'a str,
    f64,
    String,
    f64,
    String,
    Option<f64>,
    String,
    Option<f64>,
    String,
    usize,
    &'a str,
    &'a str,
);

impl Serialize for Standing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'a> Cells<'a> {
    fn new(row: &'a Row, start: f64) -> Self {
        Self(
            &row.id,
            if row.candidate == row.id { "" } else { &row.candidate },
            row.score,
            row.score.map(words::score).unwrap_or_default(),
            row.standing,
            &row.end,
            &row.detail,
            millis(row.running),
            words::seconds(row.running),
            millis(row.queued),
            words::seconds(row.queued),
            row.memory,
            row.memory.map(words::bytes).unwrap_or_default(),
            row.ended.map(millis),
            row.ended_after(start),
            row.host,
            &row.metrics,
            &row.attempt,
        )
    }
}

fn millis(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// Of a report that starts then.
fn cells(rows: &[Row], start: f64) -> Vec<Cells<'_>> {
    rows.iter().map(|row| Cells::new(row, start)).collect()
}

/// For an element of the page that holds it.
pub(crate) fn embedded(report: &Report) -> Result<String, fmt::Error> {
    let named = |it: Standing| Named { label: it.label(), class: it.class(), sign: it.sign() };
    let data = Data {
        standings: Standing::ALL.map(named),
        hosts: &report.hosts,
        rows: cells(&report.rows, report.span().0),
    };
    Ok(escape(&json(&data)?))
}

pub(crate) fn changes(
    report: &Report,
    rows: &[Row],
    sections: &[Section],
) -> Result<String, fmt::Error> {
    json(&Changes {
        hosts: &report.hosts,
        rows: cells(rows, report.span().0),
        sections: sections.iter().map(|section| (section.id, section.html.as_str())).collect(),
    })
}

fn json(value: &impl Serialize) -> Result<String, fmt::Error> {
    serde_json::to_string(value).map_err(|_| fmt::Error)
}

/// JSON that is the same to a parser of JSON and nothing to one of HTML or of scripts. What is escaped can
/// only be within strings.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 64);
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_json_says_the_same(text in "[<>&/!\\-a-z\\\\\"\\u{2028}\\u{2029}]*") {
            let json = serde_json::to_string(&text).unwrap();
            let escaped = escape(&json);
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
            let special = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!escaped.contains(special));
        }
    }
}
