//! The page around the sections.

use std::fmt;
use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::row::Row;
use crate::sections::{self, Section, render};
use crate::{Page, Report, data, text, words};

/// How many candidates are in the page itself, for those who let no script run.
const ROWS: usize = 100;
/// The most of the settings, in bytes, and of the title.
const SETTINGS: usize = 64 << 10;
const TITLE: usize = 120;

const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");

/// What may be applied and run, as a Content Security Policy names it (CSP Level 3, section 2.3.1).
static SOURCES: LazyLock<[String; 2]> = LazyLock::new(|| {
    [STYLE, SCRIPT].map(|text| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text))))
});

#[derive(Template)]
#[template(path = "page.html")]
struct Document<'a> {
    title: String,
    policy: String,
    style: &'static str,
    script: &'static str,
    live: Option<u64>,
    sections: Vec<Section>,
    rows: Vec<RankedRow<'a>>,
    /// How many candidates there are, and in words.
    total: usize,
    total_words: String,
    settings: Option<String>,
    written_at: String,
    data: String,
}

struct RankedRow<'a> {
    rank: String,
    row: &'a Row,
    score: String,
    running: String,
    queued: String,
    memory: String,
    ended: String,
    host: &'a str,
}

/// What a page may do: apply its own style, run its own script, and if live ask for what is new.
pub(crate) fn policy(page: Page) -> String {
    let [style, script] = &*SOURCES;
    let connect = match page {
        Page::File => "",
        Page::Live { .. } => " connect-src 'self';",
    };
    format!(
        "default-src 'none'; style-src {style}; script-src {script};{connect} base-uri 'none'; \
         form-action 'none'"
    )
}

pub(crate) fn html(report: &Report, page: Page) -> Result<String, fmt::Error> {
    let (start, _) = report.span();
    let rows = report.ranked();
    let rows = rows.iter().take(ROWS).map(|(rank, row)| ranked(report, *rank, row, start));
    let written_at = report.written_at.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC"));
    render(&Document {
        title: text::line(&report.title, TITLE),
        policy: policy(page),
        style: STYLE,
        script: SCRIPT,
        live: match page {
            Page::File => None,
            Page::Live { epoch } => Some(epoch),
        },
        sections: sections::all(report)?,
        rows: rows.collect(),
        total: report.rows.len(),
        total_words: words::counted(report.rows.len(), "candidate"),
        settings: report.settings.as_deref().map(settings),
        written_at: written_at.map(|time| time.to_string()).unwrap_or_default(),
        data: data::embedded(report)?,
    })
}

fn settings(settings: &str) -> String {
    let text = text::lines(settings);
    let cut = text.char_indices().map(|(at, _)| at).find(|at| *at >= SETTINGS);
    cut.map_or_else(|| text.clone(), |cut| format!("{}\n…", &text[..cut]))
}

fn ranked<'a>(report: &'a Report, rank: Option<usize>, row: &'a Row, start: f64) -> RankedRow<'a> {
    RankedRow {
        rank: rank.map(words::count).unwrap_or_default(),
        row,
        score: row.score.map(words::score).unwrap_or_default(),
        running: words::seconds(row.running),
        queued: words::seconds(row.queued),
        memory: row.memory.map(words::bytes).unwrap_or_default(),
        ended: row.ended_after(start),
        host: report.hosts.get(row.host).map_or("", String::as_str),
    }
}
