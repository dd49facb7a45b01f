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

/// None where there is no score.
pub(crate) fn progress(rows: &[Row], start: f64) -> Result<Option<Progress>, std::fmt::Error> {
    let mut scored: Vec<_> =
        rows.iter().enumerate().filter_map(|(index, row)| Some((index, row, row.score?))).collect();
    scored.sort_by(|(_, one, _), (_, other, _)| one.ended.total_cmp(&other.ended));
    let Some((_, last, _)) = scored.last() else { return Ok(None) };
    let x = Scale::up_to(last.ended - start);
    let is_correct = |row: &Row| row.standing == Standing::Correct;
    let correct: Vec<_> =
        scored.iter().filter(|(_, row, _)| is_correct(row)).map(|(_, _, score)| *score).collect();
    let y = if correct.is_empty() {
        bulk(scored.iter().map(|(_, _, score)| *score).collect())
    } else {
        bulk(correct)
    };
    let place = |row: &Row, score| {
        [x.at(row.ended - start) * WIDTH, (1.0 - y.at(score)) * f64::from(HEIGHT)]
    };
    let dots = |wanted: bool| {
        let of_kind = scored.iter().filter(|(_, row, _)| is_correct(row) == wanted);
        dots(of_kind.map(|(_, row, score)| place(row, *score)))
    };
    let (bests, line) = best_so_far(scored.iter().filter(|(_, row, _)| is_correct(row)), place);
    let few = if scored.len() <= FEW { " few" } else { "" };
    let layer = |class: &str, path: String| Layer { class: format!("{class}{few}"), path };
    let plot = Plot {
        class: "score",
        label: format!(
            "Scores of {} over {}; the best so far rose {}.",
            words::counted(scored.len(), "candidate"),
            words::seconds(x.high),
            words::counted(bests.len(), "time"),
        ),
        height: HEIGHT,
        y: value_marks(y, 5, f64::from(HEIGHT), words::score),
        y_unit: "%",
        x: time_marks(x),
        layers: vec![
            layer("dots incorrect", dots(false)),
            layer("dots correct", dots(true)),
            layer("best", line),
        ],
        domain: Some([x.low + start, x.high + start, y.low, y.high]),
    };
    let below = scored.iter().filter(|(_, _, score)| *score < y.low).count();
    Ok(Some(Progress { plot: super::render(&plot)?, bests, below }))
}

/// Who was the best when it ended, and the line that rises with them.
fn best_so_far<'a>(
    in_time: impl Iterator<Item = &'a (usize, &'a Row, f64)>,
    place: impl Fn(&Row, f64) -> [f64; 2],
) -> (Vec<usize>, String) {
    let (mut bests, mut line) = (Vec::new(), Path::default());
    let (mut best, mut level) = (f64::NEG_INFINITY, 0.0);
    for (index, row, score) in in_time.filter(|(_, _, score)| score.is_finite()) {
        if *score <= best {
            continue;
        }
        let [x, y] = place(row, *score);
        if bests.is_empty() {
            line.start(x, y);
        } else {
            line.step(x, y);
        }
        bests.push(*index);
        (best, level) = (*score, y);
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
