//! How many wait, over time.

use super::path::Path;
use super::{Layer, Plot, WIDTH, count_marks, time_marks};
use crate::row::Row;
use crate::scale::Scale;
use crate::words;

const HEIGHT: u32 = 72;
const COLUMNS: usize = 500;

/// The chart of those queued; with the most at once.
pub(crate) fn queued(
    rows: &[Row],
    start: f64,
    end: f64,
) -> Result<(String, usize), std::fmt::Error> {
    let x = Scale::up_to(end - start);
    let most_in_column = columns(rows, start, x);
    let most = most_in_column.iter().copied().max().unwrap_or(0);
    let y = Scale::up_to(words::float(most));
    let height = f64::from(HEIGHT);
    let mut path = Path::default();
    path.start(0.0, height);
    let mut before = None;
    for (column, count) in most_in_column.iter().enumerate() {
        if before.replace(count) == Some(count) {
            continue;
        }
        let x = words::float(column) / words::float(COLUMNS) * WIDTH;
        path.step(x, (1.0 - y.at(words::float(*count))) * height);
    }
    path.step(WIDTH, height);
    path.close();
    let plot = Plot {
        class: "queued",
        label: format!("How many candidates waited over time; {} at most.", words::count(most)),
        height: HEIGHT,
        y: count_marks(y, 2, height),
        y_unit: "%",
        x: time_marks(x),
        layers: vec![Layer { class: "waiting".into(), path: path.into_string() }],
        domain: None,
    };
    Ok((super::render(&plot)?, most))
}

/// The most that waited at once in each of as many parts of the time.
fn columns(rows: &[Row], start: f64, x: Scale) -> Vec<usize> {
    let mut changes: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row.submitted?, row.started.or(row.ended)?)))
        .flat_map(|(from, to)| [(from, 1_isize), (to, -1)])
        .collect();
    changes.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut columns = vec![0; COLUMNS];
    let mut changes = changes.into_iter().peekable();
    let mut waiting = 0_isize;
    for (column, most) in columns.iter_mut().enumerate() {
        let until = start + words::float(column + 1) / words::float(COLUMNS) * x.high;
        let mut peak = waiting;
        while let Some((_, change)) = changes.next_if(|(time, _)| *time < until) {
            waiting += change;
            peak = peak.max(waiting);
        }
        *most = usize::try_from(peak).unwrap_or(0);
    }
    columns
}
