//! The report itself: what is gathered, candidate by candidate.

use std::collections::HashMap;
use std::fmt;

use sortie_results::jiff::Timestamp;

use crate::examples::Examples;
use crate::row::Row;
use crate::standing::Standing;
use crate::{Candidate, data, page, sections, text, words};

/// The most of a machine's name, in bytes.
const HOST: usize = 60;
/// How much of an evaluator's hash is shown, and how many of them are.
const EVALUATOR: usize = 12;
const EVALUATORS: usize = 20;

/// A sweep, to be made a page of.
///
/// It keeps little of each [`Candidate`], and the ends of few logs: what the page shows.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the page is called.
    pub title: String,
    /// The metric by which candidates are ranked, the higher the better. To be set before any is added.
    pub ranked_by: String,
    /// The settings of the sweep's jobs, as text.
    pub settings: Option<String>,
    /// When this was gathered.
    pub written_at: Option<Timestamp>,
    /// How many candidates wait for their turn, where that is known.
    pub waiting: usize,
    /// How many were handed over to be run, and have not ended: they are queued, or run.
    pub begun: usize,
    /// What a reader should know of how complete this is, a sentence each.
    pub notes: Vec<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) examples: Examples,
    /// The machines' names, in the order in which they were met.
    pub(crate) hosts: Vec<String>,
    host_indices: HashMap<String, usize>,
    /// The evaluators that judged candidates, in the order in which they were met, and how many each has.
    evaluators: Vec<(String, usize)>,
}

/// Where the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// It is a file, complete in itself: it may load nothing.
    File,
    /// It is served while the report grows: it asks for `changes`, relative to its own address, with
    /// `?rows=` the number of candidates it has and `&epoch=` this number, and expects
    /// [`Report::changes`]; nothing new as status 304; and 409 if the number is an old one.
    Live {
        /// Which report it is of: another one if the candidates so far no longer hold.
        epoch: u64,
    },
}

impl Report {
    /// One without candidates, which are to be ranked by `combined_score`.
    pub fn new(title: impl Into<String>) -> Self {
        let ranked_by = "combined_score".to_owned();
        Self { title: title.into(), ranked_by, ..Self::default() }
    }

    /// Adds a candidate that has ended.
    pub fn add(&mut self, candidate: &Candidate) {
        let name = text::line(&candidate.host, HOST);
        let next = self.hosts.len();
        let host = *self.host_indices.entry(name).or_insert_with_key(|name| {
            self.hosts.push(name.clone());
            next
        });
        if let Some(sha256) = &candidate.evaluator_sha256 {
            let beginning: String = sha256.chars().take(EVALUATOR).collect();
            self.count_evaluator(text::line(&beginning, EVALUATOR));
        }
        let row = Row::new(candidate, host, &self.ranked_by);
        self.examples.add(self.rows.len(), &row, candidate);
        self.rows.push(row);
    }

    /// The beginnings of hashes: what is cut off makes no difference to a reader.
    fn count_evaluator(&mut self, name: String) {
        let several = self.evaluators.len();
        match self.evaluators.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None if several < EVALUATORS => self.evaluators.push((name, 1)),
            None => {}
        }
    }

    /// That there was more than one evaluator, if so.
    pub(crate) fn changed_evaluator(&self) -> Option<String> {
        let named = |(name, count): &(String, usize)| {
            format!("{} with {name}", words::counted(*count, "result"))
        };
        let all: Vec<_> = self.evaluators.iter().map(named).collect();
        let several = all.len() > 1;
        several.then(|| format!("The evaluator changed: {}.", all.join(", ")))
    }

    /// How many candidates there are.
    pub fn candidates(&self) -> usize {
        self.rows.len()
    }

    /// The page. It fails only where memory ends.
    pub fn html(&self, page: Page) -> Result<String, fmt::Error> {
        page::html(self, page)
    }

    /// What a live page that has so many candidates needs to be as this report is, in JSON.
    pub fn changes(&self, known: usize) -> Result<String, fmt::Error> {
        let rows = self.rows.get(known..).unwrap_or_default();
        data::changes(self, rows, &sections::all(self)?)
    }

    /// When the first was submitted and the last ended, in seconds since 1970.
    pub(crate) fn span(&self) -> (f64, f64) {
        let start = self.rows.iter().filter_map(|row| row.submitted).fold(f64::INFINITY, f64::min);
        let end = self.rows.iter().filter_map(|row| row.ended).fold(f64::NEG_INFINITY, f64::max);
        if start <= end { (start, end) } else { (0.0, 0.0) }
    }

    pub(crate) fn count(&self, standing: Standing) -> usize {
        self.rows.iter().filter(|row| row.standing == standing).count()
    }

    /// The rows, the best first: by score where there is one, then those that have no rank. With the rank.
    pub(crate) fn ranked(&self) -> Vec<(Option<usize>, &Row)> {
        let score = |row: &Row| row.score.filter(|_| row.standing == Standing::Correct);
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by(|one, other| match (score(one), score(other)) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            (one_score, other_score) => other_score
                .is_some()
                .cmp(&one_score.is_some())
                .then_with(|| one.standing.cmp(&other.standing)),
        });
        let rank = |(index, row)| (score(row).map(|_| index + 1), row);
        rows.into_iter().enumerate().map(rank).collect()
    }
}
