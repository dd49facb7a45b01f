//! The sweep at a glance.

use std::fmt;

use askama::Template;
use sortie_results::jiff::Timestamp;

use crate::chart::Spread;
use crate::sections::render;
use crate::standing::Standing;
use crate::{Report, text, words};

#[derive(Template)]
#[template(path = "summary.html")]
struct Summary<'a> {
    /// What was evaluated, and when.
    lead: String,
    tiles: Vec<Tile>,
    notes: &'a [String],
}

/// A figure, with what it is and what else there is to say of it.
struct Tile {
    name: &'static str,
    figure: String,
    more: String,
    class: &'static str,
}

impl Tile {
    fn new(name: &'static str, figure: impl Into<String>, more: impl Into<String>) -> Self {
        Self { name, figure: figure.into(), more: more.into(), class: "" }
    }
}

pub(crate) fn html(report: &Report) -> Result<String, fmt::Error> {
    let mut tiles =
        vec![best(report), correct(report), wrong(report), time(report), effort(report)];
    let to_come = report.waiting + report.begun;
    if to_come > 0 {
        let more = format!("{} of them handed over", words::count(report.begun));
        tiles.insert(0, Tile::new("Still to come", words::count(to_come), more));
    }
    let notes: Vec<_> =
        report.changed_evaluator().into_iter().chain(report.notes.clone()).collect();
    render(&Summary { lead: lead(report), tiles, notes: &notes })
}

fn lead(report: &Report) -> String {
    if report.rows.is_empty() {
        return "No candidate has ended so far".to_owned();
    }
    let candidates = words::counted(report.rows.len(), "candidate");
    let machines = report.hosts.iter().filter(|host| !host.is_empty()).count();
    let lead = format!("{candidates} on {}", words::counted(machines, "machine"));
    let (start, end) = report.span();
    let minute = |seconds: f64| minute(seconds).unwrap_or_default();
    let (from, to) = (minute(start), minute(end));
    match from.split_once(' ').zip(to.split_once(' ')) {
        _ if from == to => lead + &format!(", {from} UTC"),
        Some(((from_day, _), (to_day, clock))) if from_day == to_day => {
            lead + &format!(", {from}–{clock} UTC")
        }
        _ => lead + &format!(", {from} – {to} UTC"),
    }
}

/// `2026-11-24 18:50`.
fn minute(since_epoch: f64) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "it was made of a whole number")]
    let time = Timestamp::from_second(since_epoch as i64).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M").to_string())
}

fn best(report: &Report) -> Tile {
    let best = report.ranked().first().copied();
    let best = best.and_then(|(rank, row)| Some((rank.and(row.score)?, row)));
    match best {
        Some((score, row)) => Tile {
            class: "best",
            ..Tile::new("Best score", words::score(score), text::line(&row.id, 48))
        },
        None => Tile::new("Best score", "–", "no correct candidate has one"),
    }
}

fn correct(report: &Report) -> Tile {
    let correct = report.count(Standing::Correct);
    let share = format!("{} of all", words::share(correct, report.rows.len()));
    Tile::new("Correct", words::count(correct), share)
}

fn wrong(report: &Report) -> Tile {
    use Standing::{Cancelled, Candidate, Incorrect, Infrastructure, Setup};
    let kinds = [
        (Incorrect, "judged so"),
        (Candidate, "failed"),
        (Setup, "set-up"),
        (Infrastructure, "machine"),
        (Cancelled, "cancelled"),
    ];
    let counts = kinds.map(|(standing, name)| (report.count(standing), name));
    let total: usize = counts.iter().map(|(count, _)| count).sum();
    let named = counts.iter().filter(|(count, _)| *count > 0);
    let named: Vec<_> =
        named.map(|(count, name)| format!("{} {name}", words::count(*count))).collect();
    Tile::new("Not correct", words::count(total), named.join(", "))
}

fn time(report: &Report) -> Tile {
    let (start, end) = report.span();
    let rate = words::float(report.rows.len()) / (end - start).max(1e-3);
    let rate = match rate {
        _ if report.rows.is_empty() => String::new(),
        1.0.. => format!("{} candidates a second", words::score((rate * 10.0).round() / 10.0)),
        _ => format!("{} candidates a minute", words::score((rate * 600.0).round() / 10.0)),
    };
    Tile::new("From first to last", words::seconds(end - start), rate)
}

fn effort(report: &Report) -> Tile {
    let cpu = report.rows.iter().map(|row| row.cpu).sum();
    let started = report.rows.iter().filter(|row| row.started.is_some());
    let median = Spread::new(started.map(|row| row.running)).quantile(0.5).unwrap_or(0.0);
    Tile::new(
        "Median run",
        words::seconds(median),
        format!("{} of CPU in all", words::seconds(cpu)),
    )
}
