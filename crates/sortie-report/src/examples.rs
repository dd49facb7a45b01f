//! The few candidates of which the logs are shown: some of every way to fail, and the slowest.

use std::collections::BTreeMap;

use crate::row::Row;
use crate::standing::Standing;
use crate::{Candidate, text};

/// How many are shown of every way to fail: the first.
const EACH: usize = 3;
/// How many ways to fail there may be.
const WAYS: usize = 400;
const SLOWEST: usize = 10;
/// The most of a log.
const LOG_BYTES: usize = 4096;
const LOG_LINES: usize = 40;
/// The most of its last line where that stands for all of it.
const LAST_WORDS: usize = 160;

/// A candidate with the ends of its logs.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Where its row is in the report.
    pub(crate) row: usize,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    pub(crate) count: usize,
    pub(crate) examples: Vec<Example>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Examples {
    /// Every end that there was, the good ones as well.
    pub(crate) ends: BTreeMap<(Standing, Box<str>), Way>,
    /// The slowest first, with their seconds.
    pub(crate) slowest: Vec<(f64, Example)>,
}

impl Examples {
    /// Keeps the logs of a candidate if they will be shown.
    pub(crate) fn add(&mut self, index: usize, row: &Row, candidate: &Candidate) {
        let mut key = (row.standing, row.end.clone());
        if self.ends.len() >= WAYS && !self.ends.contains_key(&key) {
            key.1 = "other".into();
        }
        let way = self.ends.entry(key).or_default();
        way.count += 1;
        let is_wrong = !matches!(row.standing, Standing::Correct | Standing::Cancelled);
        if is_wrong && way.examples.len() < EACH {
            way.examples.push(Example::new(index, candidate));
        }
        let place = self.slowest.partition_point(|(seconds, _)| *seconds >= row.running);
        if place < SLOWEST && row.running > 0.0 {
            self.slowest.insert(place, (row.running, Example::new(index, candidate)));
            self.slowest.truncate(SLOWEST);
        }
    }

    /// The ways to fail, the most frequent first.
    pub(crate) fn failures(&self) -> Vec<(&(Standing, Box<str>), &Way)> {
        let mut failures: Vec<_> =
            self.ends.iter().filter(|(_, way)| !way.examples.is_empty()).collect();
        failures.sort_by_key(|((standing, _), way)| {
            // Judged not correct is no failure of anything: last.
            (*standing == Standing::Incorrect, std::cmp::Reverse(way.count))
        });
        failures
    }
}

impl Example {
    fn new(row: usize, candidate: &Candidate) -> Self {
        let tail = |log| text::tail(log, LOG_BYTES, LOG_LINES);
        Self { row, stdout: tail(&candidate.stdout), stderr: tail(&candidate.stderr) }
    }

    /// The last line of its standard error: what Python says of an exception.
    pub(crate) fn last_words(&self) -> String {
        text::line(self.stderr.lines().next_back().unwrap_or_default().trim(), LAST_WORDS)
    }
}
