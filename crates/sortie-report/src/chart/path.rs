//! Paths of SVG.

use std::fmt::Write as _;

use super::Decimal;

/// The text of a path, built piece by piece.
#[derive(Debug, Default)]
pub(super) struct Path(String);

impl Path {
    /// A dot, which a stroke with round ends makes of it.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "M{} {}h0", Decimal(x), Decimal(y));
    }

    pub(super) fn rect(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2]) {
        let [x, y, width, height] = [x, y, width, height].map(Decimal);
        let _ = write!(self.0, "M{x} {y}h{width}v{height}h-{width}z");
    }

    pub(super) fn start(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "M{} {}", Decimal(x), Decimal(y));
    }

    /// On the level to there, and then up or down.
    pub(super) fn step(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "H{}V{}", Decimal(x), Decimal(y));
    }

    pub(super) fn close(&mut self) {
        self.0.push('z');
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}
