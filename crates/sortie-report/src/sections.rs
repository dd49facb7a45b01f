//! The parts of the page that are made anew as candidates are added.

use std::fmt;

use askama::Template;

use crate::chart::{self, Histogram, Host, Progress, Spread};
use crate::examples::Example;
use crate::row::Row;
use crate::standing::Standing;
use crate::unit::Unit;
use crate::{Report, words};

/// How many of the candidates that were the best are listed: the last.
const BESTS: usize = 50;
/// How many ways to fail are shown.
const FAILURES: usize = 20;

/// What an element of the page holds.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) html: String,
}

type Make = fn(&Report) -> Result<String, fmt::Error>;

/// All of them.
pub(crate) fn all(report: &Report) -> Result<Vec<Section>, fmt::Error> {
    let parts: [(_, _, Make); 7] = [
        ("summary", "Summary", crate::summary::html),
        ("progress", "Score over time", progress),
        ("outcomes", "Outcomes", outcomes),
        ("timeline", "Timeline", timeline),
        ("spread", "Durations and memory", spread),
        ("failures", "What went wrong", failures),
        ("slowest", "Slowest", slowest),
    ];
    let made = |(id, title, html): (_, _, Make)| Ok(Section { id, title, html: html(report)? });
    parts.into_iter().map(made).collect()
}

pub(crate) fn render(template: &impl Template) -> Result<String, fmt::Error> {
    template.render().map_err(|_| fmt::Error)
}

#[derive(Template)]
#[template(path = "progress.html")]
struct ProgressPart<'a> {
    progress: Option<Progress>,
    /// When, who, and what score.
    bests: Vec<(String, &'a Row, String)>,
    left_out: usize,
}

fn progress(report: &Report) -> Result<String, fmt::Error> {
    let (start, end) = report.span();
    let progress = chart::progress(&report.rows, start, end)?;
    let bests = progress.as_ref().map(|progress| progress.bests.as_slice()).unwrap_or_default();
    let left_out = bests.len().saturating_sub(BESTS);
    let best = |index: &usize| {
        let row = &report.rows[*index];
        let score = row.score.map(words::score).unwrap_or_default();
        (row.ended_after(start), row, score)
    };
    let bests = bests[left_out..].iter().rev().map(best).collect();
    render(&ProgressPart { progress, bests, left_out })
}

#[derive(Template)]
#[template(path = "outcomes.html")]
struct OutcomesPart<'a> {
    ends: Vec<EndLine<'a>>,
}

struct EndLine<'a> {
    standing: Standing,
    end: &'a str,
    count: String,
    share: String,
    /// Of the most frequent one, in per cent.
    width: String,
}

fn outcomes(report: &Report) -> Result<String, fmt::Error> {
    let ends = &report.examples.ends;
    let most = ends.values().map(|way| way.count).max().unwrap_or(0);
    // Sorted by standing. Within a standing, the most frequent comes first.
    let mut ways: Vec<_> = ends.iter().collect();
    ways.sort_by_key(|((standing, _), way)| (*standing, std::cmp::Reverse(way.count)));
    let lines = ways.into_iter().map(|((standing, end), way)| EndLine {
        standing: *standing,
        end,
        count: words::count(way.count),
        share: words::share(way.count, report.rows.len()),
        width: format!("{:.2}", words::float(way.count) / words::float(most) * 100.0),
    });
    render(&OutcomesPart { ends: lines.collect() })
}

#[derive(Template)]
#[template(path = "timeline.html")]
struct TimelinePart<'a> {
    is_empty: bool,
    queued: String,
    most_queued: usize,
    lanes: String,
    hosts: Vec<HostLine<'a>>,
    left_out: usize,
    standings: Vec<Standing>,
}

struct HostLine<'a> {
    name: &'a str,
    candidates: String,
    lanes: String,
    busy: String,
    use_of_lanes: String,
}

fn timeline(report: &Report) -> Result<String, fmt::Error> {
    let (start, end) = report.span();
    let (queued, most_queued) = chart::queued(&report.rows, start, end)?;
    let (lanes, hosts, left_out) = chart::lanes(&report.rows, &report.hosts, start, end)?;
    let line = |host: Host| HostLine {
        name: report.hosts.get(host.index).map_or("", String::as_str),
        candidates: words::count(host.candidates),
        lanes: words::count(host.lanes),
        busy: words::seconds(host.busy),
        use_of_lanes: format!(
            "{:.0} %",
            (host.busy / (words::float(host.lanes) * (end - start).max(1e-3)) * 100.0).min(100.0)
        ),
    };
    let standings = Standing::ALL.into_iter().filter(|it| report.count(*it) > 0).collect();
    let is_empty = hosts.is_empty();
    let hosts = hosts.into_iter().map(line).collect();
    render(&TimelinePart { is_empty, queued, most_queued, lanes, hosts, left_out, standings })
}

#[derive(Template)]
#[template(path = "spread.html")]
struct SpreadPart {
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    histogram: Histogram,
    median: String,
    ninetieth: String,
    most: String,
}

fn spread(report: &Report) -> Result<String, fmt::Error> {
    let started = || report.rows.iter().filter(|row| row.started.is_some());
    let kinds: [(_, Spread, Unit); 3] = [
        ("running times", Spread::new(started().map(|row| row.running)), Unit::Seconds),
        ("peak memory", Spread::new(started().filter_map(|row| row.memory)), Unit::Bytes),
        ("waiting times", Spread::new(started().map(|row| row.queued)), Unit::Seconds),
    ];
    let mut figures = Vec::new();
    for (name, spread, unit) in kinds {
        let Some(histogram) = chart::histogram(name, &spread, unit)? else { continue };
        let at = |share| spread.quantile(share).map(|value| unit.words(value)).unwrap_or_default();
        let (median, ninetieth, most) = (at(0.5), at(0.9), at(1.0));
        figures.push(Figure { name, histogram, median, ninetieth, most });
    }
    render(&SpreadPart { figures })
}

#[derive(Template)]
#[template(path = "failures.html")]
struct FailuresPart<'a> {
    ways: Vec<WayPart<'a>>,
    left_out: usize,
    has_rows: bool,
}

struct WayPart<'a> {
    standing: Standing,
    end: &'a str,
    count: usize,
    examples: Vec<(&'a Row, &'a Example)>,
}

fn failures(report: &Report) -> Result<String, fmt::Error> {
    let ways = report.examples.failures();
    let left_out = ways.len().saturating_sub(FAILURES);
    let ways = ways.into_iter().take(FAILURES).map(|(key, way)| {
        let example = |example| with_row(report, example);
        WayPart {
            standing: key.0,
            end: &key.1,
            count: way.count,
            examples: way.examples.iter().map(example).collect(),
        }
    });
    render(&FailuresPart { ways: ways.collect(), left_out, has_rows: !report.rows.is_empty() })
}

#[derive(Template)]
#[template(path = "slowest.html")]
struct SlowestPart<'a> {
    examples: Vec<(&'a Row, &'a Example)>,
}

fn slowest(report: &Report) -> Result<String, fmt::Error> {
    let slowest = report.examples.slowest.iter();
    let examples = slowest.map(|(_, example)| with_row(report, example)).collect();
    render(&SlowestPart { examples })
}

fn with_row<'a>(report: &'a Report, example: &'a Example) -> (&'a Row, &'a Example) {
    (&report.rows[example.row], example)
}
