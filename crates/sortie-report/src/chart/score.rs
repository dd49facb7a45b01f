//! Scores over time, with the best so far.

use std::collections::BTreeSet;

use super::path::Path;
use super::{Layer, Plot, WIDTH, time_marks, value_marks};
use crate::row::Row;
use crate::scale::Scale;
use crate::standing::Standing;
use crate::words;

const HEIGHT: u32 = 300;
/// How finely dots are told apart: those that would lie on one another are drawn once.
const COLUMNS: f64 = 600.0;
const LINES: f64 = 150.0;
/// Up to so many dots are large.
const FEW: usize = 400;

/// The chart, and the candidates that were the best when they ended.
pub(crate) struct Progress {
    pub(crate) plot: String,
    /// Where their rows are, in time.
    pub(crate) bests: Vec<usize>,
    /// How many scores lie below the chart.
    pub(crate) below: usize,
}

/// A candidate with a score.
struct Point {
    index: usize,
    ended: f64,
    score: f64,
    is_correct: bool,
}

/// None where there is no score.
pub(crate) fn progress(
    rows: &[Row],
    start: f64,
    end: f64,
) -> Result<Option<Progress>, std::fmt::Error> {
    let points = points(rows);
    if points.is_empty() {
        return Ok(None);
    }
    let x = Scale::up_to(end - start);
    let (correct, others): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| point.is_correct);
    let spanned = if correct.is_empty() { &others } else { &correct };
    let y = bulk(spanned.iter().map(|point| point.score).collect());
    let place = |point: &Point| {
        [x.at(point.ended - start) * WIDTH, (1.0 - y.at(point.score)) * f64::from(HEIGHT)]
    };
    let dots = |points: &[&Point]| dots(points.iter().map(|point| place(point)));
    let (bests, line) = best_so_far(&correct, place);
    let few = if points.len() <= FEW { " few" } else { "" };
    let layer = |class: &str, path: String| Layer { class: format!("{class}{few}"), path };
    let plot = Plot {
        class: "score",
        label: format!(
            "Scores of {} over {}; the best so far rose {}.",
            words::counted(points.len(), "candidate"),
            words::seconds(x.high),
            words::counted(bests.len(), "time"),
        ),
        height: HEIGHT,
        y: value_marks(y, 5, f64::from(HEIGHT), words::score),
        y_unit: "%",
        x: time_marks(x),
        layers: vec![
            layer("dots incorrect", dots(&others)),
            layer("dots correct", dots(&correct)),
            layer("best", line),
        ],
        domain: Some([x.low + start, x.high + start, y.low, y.high]),
    };
    let below = points.iter().filter(|point| point.score < y.low).count();
    Ok(Some(Progress { plot: super::render(&plot)?, bests, below }))
}

/// In time.
fn points(rows: &[Row]) -> Vec<Point> {
    let point = |(index, row): (usize, &Row)| {
        let is_correct = row.standing == Standing::Correct;
        Some(Point { index, ended: row.ended?, score: row.score?, is_correct })
    };
    let mut points: Vec<_> = rows.iter().enumerate().filter_map(point).collect();
    points.sort_by(|one, other| one.ended.total_cmp(&other.ended));
    points
}

/// Who was the best when it ended, and the line that rises with them.
fn best_so_far(in_time: &[&Point], place: impl Fn(&Point) -> [f64; 2]) -> (Vec<usize>, String) {
    let (mut bests, mut line) = (Vec::new(), Path::default());
    let (mut best, mut level) = (f64::NEG_INFINITY, 0.0);
    for point in in_time {
        if point.score <= best {
            continue;
        }
        let [x, y] = place(point);
        if bests.is_empty() {
            line.start(x, y);
        } else {
            line.step(x, y);
        }
        bests.push(point.index);
        (best, level) = (point.score, y);
    }
    if !bests.is_empty() {
        line.step(WIDTH, level);
    }
    (bests, line.into_string())
}

/// What the scores span, without the few that lie far below all others: they would press the rest into a line.
fn bulk(mut scores: Vec<f64>) -> Scale {
    scores.sort_by(f64::total_cmp);
    // So that there is an end to what they span.
    let at = |index: usize| scores[index].clamp(-1e300, 1e300);
    let (low, most, high) = (at(0), at(scores.len() / 20), at(scores.len() - 1));
    let is_far = high > most && (high - low) > 4.0 * (high - most);
    Scale::new(if is_far { most } else { low }, high).padded(0.06)
}

fn dots(places: impl Iterator<Item = [f64; 2]>) -> String {
    let mut drawn = BTreeSet::new();
    let mut path = Path::default();
    for [x, y] in places {
        #[expect(clippy::cast_possible_truncation, reason = "places are within the area")]
        let cell =
            [(x / WIDTH * COLUMNS).round() as i32, (y / f64::from(HEIGHT) * LINES).round() as i32];
        if drawn.insert(cell) {
            path.dot(x, y);
        }
    }
    path.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_very_bad_scores_do_not_press_the_others_into_a_line() {
        let mut scores: Vec<f64> = (0..100).map(|n| 2.0 + words::float(n) / 100.0).collect();
        scores.push(-1e9);
        assert!(bulk(scores).low > 1.9);
        assert_eq!(bulk(vec![0.0, 10.0]), Scale::new(0.0, 10.0).padded(0.06));
        assert!(bulk(vec![3.0]).at(3.0) > 0.4);
        assert!(bulk(vec![f64::MIN, f64::MAX]).at(0.0) > 0.4);
    }

    #[test]
    fn as_many_dots_as_a_screen_can_tell_apart() {
        let path = dots((0..100_000).map(|n| [f64::from(n % 1000), 150.0]));
        assert!(path.matches('M').count() <= 601);
    }
}
