//! Charts, as SVG that needs no script.
//!
//! A chart is an area that is stretched to the width there is, with strokes and text that are not: marks are
//! placed in parts of [`WIDTH`], labels in per cent. However many candidates there are, a chart has
//! about as many shapes as it has points on a screen.

mod histogram;
mod lanes;
mod load;
mod path;
mod score;

use std::fmt;

use askama::Template;

use crate::scale::Scale;
use crate::unit::Unit;
use crate::words;

pub(crate) use histogram::{Histogram, Spread, histogram};
pub(crate) use lanes::{Host, lanes};
pub(crate) use load::queued;
pub(crate) use score::{Progress, progress};

/// How wide a chart's area is, in its own units.
const WIDTH: f64 = 1000.0;

/// A label at an axis.
#[derive(Debug)]
struct Mark {
    /// In per cent along the axis, or in pixels where a chart says so.
    at: Decimal,
    /// The same in the units of the area.
    line: Decimal,
    label: String,
}

/// An area with its axes.
#[derive(Debug, Template)]
#[template(path = "plot.html")]
struct Plot {
    /// For the style sheet.
    class: &'static str,
    /// What it shows, for those who do not see it.
    label: String,
    /// In the units of the area, and in pixels.
    height: u32,
    /// From the top.
    y: Vec<Mark>,
    y_unit: &'static str,
    x: Vec<Mark>,
    layers: Vec<Layer>,
    /// The values at the area's edges, for the script: low and high, of each axis.
    domain: Option<[f64; 4]>,
}

/// One path in the area.
#[derive(Debug)]
struct Layer {
    class: String,
    path: String,
}

/// A number with one decimal at most, which is what a path needs.
#[derive(Debug, Clone, Copy)]
struct Decimal(f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 10.0).round() / 10.0;
        // Without the sign of a negative zero.
        write!(f, "{}", rounded + 0.0)
    }
}

/// Time along the lower edge.
fn time_marks(scale: Scale) -> Vec<Mark> {
    let ticks = scale.time_ticks(6);
    let mark = |tick: f64| {
        let (at, line) = (Decimal(scale.at(tick) * 100.0), Decimal(scale.at(tick) * WIDTH));
        Mark { at, line, label: Unit::Seconds.round(tick) }
    };
    ticks.into_iter().map(mark).collect()
}

/// Values along the left edge of an area of that height, from below.
fn value_marks(
    scale: Scale,
    about: usize,
    height: f64,
    label: impl Fn(f64) -> String,
) -> Vec<Mark> {
    let mark = |tick: f64| {
        let down = 1.0 - scale.at(tick);
        Mark { at: Decimal(down * 100.0), line: Decimal(down * height), label: label(tick) }
    };
    scale.ticks(about).into_iter().map(mark).collect()
}

/// The same for what is counted: no half candidate.
fn count_marks(scale: Scale, about: usize, height: f64) -> Vec<Mark> {
    let step = if scale.high < words::float(about) {
        scale.high.ceil().max(1.0)
    } else {
        words::float(about)
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    value_marks(scale, step as usize, height, |tick| words::count(tick as usize))
}

fn render(plot: &Plot) -> Result<String, fmt::Error> {
    plot.render().map_err(|_| fmt::Error)
}
