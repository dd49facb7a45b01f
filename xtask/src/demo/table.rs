//! The candidates, ranked.

use comfy_table::{
    Cell, CellAlignment, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED,
};
use sortie_results::Fault;

use super::Row;

/// As wide as a page of documentation.
const WIDTH: u16 = 100;

/// A table of the candidates: the correct ones by their score, then the others by name.
pub(super) fn ranking(rows: &[Row]) -> Table {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|a, b| b.rank().total_cmp(&a.rank()).then(a.candidate.name.cmp(b.candidate.name)));
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(["", "candidate", "score", "correct", "outcome", "fault", "seconds", "memory"])
        .add_rows((1..).zip(rows).map(|(place, row)| row.cells(place)));
    table
}

impl Row {
    /// What the order goes by.
    fn rank(&self) -> f64 {
        let score = self.score().filter(|_| self.results.correct);
        score.unwrap_or(f64::NEG_INFINITY)
    }

    fn cells(&self, place: usize) -> [Cell; 8] {
        let results = &self.results;
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let (correct, color) =
            if results.correct { ("yes", Color::Green) } else { ("no", Color::Red) };
        let fault = results.fault.map_or("", |fault| match fault {
            Fault::Candidate => "candidate",
            Fault::Setup => "setup",
            Fault::Infrastructure => "infrastructure",
        });
        // Slurm without accounting does not tell.
        let memory = match results.usage.peak_memory_bytes {
            0 => String::new(),
            bytes => format!("{} MiB", bytes >> 20),
        };
        [
            right(if results.correct { place.to_string() } else { String::new() }),
            Cell::new(self.candidate.name),
            right(self.score().map_or_else(String::new, |score| format!("{score:.4}"))),
            Cell::new(correct).fg(color),
            Cell::new(self.outcome()),
            Cell::new(fault),
            right(format!("{:.2}", results.seconds.running)),
            right(memory),
        ]
    }
}
