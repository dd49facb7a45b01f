//! What came of a sweep, in short.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::progress::Best;
use crate::{Counts, Evaluator, Progress, Sweep};

/// What came of a sweep, in short. In JSON an object with these members.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// The version of this form: 1.
    pub version: u32,
    /// Whether all candidates are done.
    pub complete: bool,
    /// How many candidates there are.
    pub candidates: usize,
    /// How many are not done.
    pub waiting: usize,
    /// Those that are done.
    pub done: Counts,
    /// How many there are of each kind of outcome, as in `timed_out`.
    pub outcomes: BTreeMap<String, usize>,
    /// The evaluators that made the results, as more than one where it was changed in the middle; in the order of their first
    /// results.
    pub evaluators: Vec<Evaluator>,
    /// What they are ranked by: a member of `metrics.json`.
    pub score: String,
    /// The best of them, the best first; of equal scores the first candidate.
    pub best: Vec<Best>,
}

impl Summary {
    /// Of a sweep, with the `most` best candidates.
    pub fn of(sweep: &Sweep, most: usize) -> Self {
        let Progress { waiting, done, .. } = Progress::of(sweep);
        let mut outcomes = BTreeMap::new();
        for end in sweep.states.iter().filter_map(crate::State::end) {
            *outcomes.entry(end.outcome.clone()).or_default() += 1;
        }
        let places = sweep.ranking();
        let best = places.into_iter().take(most).map(|(place, score)| {
            let candidate = &sweep.candidates[place];
            Best::new(candidate, score)
        });
        Self {
            version: 1,
            complete: waiting == 0,
            candidates: sweep.candidates.len(),
            waiting,
            done,
            outcomes,
            evaluators: Evaluator::all(sweep),
            score: sweep.header.options.score.clone(),
            best: best.collect(),
        }
    }
}

impl Sweep {
    /// The places of the candidates that have a score, with it, the best first; of equal scores the first candidate.
    pub fn ranking(&self) -> Vec<(usize, f64)> {
        let score = |(place, state): (usize, &crate::State)| Some((place, state.end()?.score?));
        let mut ranking: Vec<_> = self.states.iter().enumerate().filter_map(score).collect();
        // It is stable, and no score is a NaN.
        ranking.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        ranking
    }
}
