//! What goes on: a line for each candidate on a terminal, otherwise a line for each event.

use std::{
    collections::HashMap,
    io::{IsTerminal, stderr},
    time::Instant,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Row, TICK, candidates::Candidate};

/// Drawn on standard error, as standard output is for the table.
pub(super) struct Progress {
    from: Instant,
    /// By the candidate's name; none without a terminal.
    lines: HashMap<&'static str, ProgressBar>,
}

impl Progress {
    pub(super) fn new(candidates: &'static [Candidate]) -> Self {
        let lines = if stderr().is_terminal() { lines(candidates) } else { HashMap::new() };
        Self { from: Instant::now(), lines }
    }

    pub(super) fn pending(&self, candidate: &Candidate, reason: &str) {
        match self.lines.get(candidate.name) {
            Some(line) => line.set_message(format!("waits: {reason}")),
            None => self.say(candidate, &format!("waits: {reason}")),
        }
    }

    pub(super) fn started(&self, candidate: &Candidate) {
        match self.lines.get(candidate.name) {
            Some(line) => {
                line.set_style(style("{prefix:13} {spinner:.cyan} {elapsed_precise:.dim}"));
                line.reset_elapsed();
                line.enable_steady_tick(TICK);
            }
            None => self.say(candidate, "started"),
        }
    }

    pub(super) fn finished(&self, row: &Row) {
        let text = match (row.results.correct, row.score()) {
            (true, Some(score)) => format!("correct, score {score:.4}"),
            _ => row.outcome(),
        };
        match self.lines.get(row.candidate.name) {
            Some(line) => {
                let sign = if row.results.correct { '✓' } else { '✗' };
                line.set_style(style("{prefix:13} {msg}"));
                line.finish_with_message(format!("{sign} {text}"));
            }
            None => self.say(row.candidate, &text),
        }
    }

    fn say(&self, candidate: &Candidate, text: &str) {
        eprintln!("{:5.1} s  {:13} {text}", self.from.elapsed().as_secs_f64(), candidate.name);
    }
}

fn lines(candidates: &'static [Candidate]) -> HashMap<&'static str, ProgressBar> {
    let all = MultiProgress::new();
    let line = |candidate: &'static Candidate| {
        let line = all.add(ProgressBar::new_spinner());
        line.set_style(style("{prefix:13} {msg:.dim}"));
        line.set_prefix(candidate.name);
        line.set_message("queued");
        line.tick();
        (candidate.name, line)
    };
    candidates.iter().map(line).collect()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
