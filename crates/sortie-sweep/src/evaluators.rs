//! Which evaluators a sweep's results were made with: the evaluator may be changed in the middle.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use sortie_config::JobConfig;
use sortie_scheduler::evaluator_sha256;

use crate::{State, Sweep};

/// How many digits of a hash are shown to people.
const SHOWN: usize = 12;

/// An evaluator, by what its file held, and how many results it has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evaluator {
    /// The SHA-256 of its file, in hexadecimal digits.
    pub sha256: String,
    /// How many results of the sweep were made with it.
    pub results: usize,
}

impl Evaluator {
    /// All that made results of a sweep, in the order of their first ones. Results of an evaluator that is not known are of
    /// none.
    pub fn all(sweep: &Sweep) -> Vec<Self> {
        // Where the first result is among the results, and how many there are.
        let mut all: HashMap<&str, (u64, usize)> = HashMap::new();
        for end in sweep.states.iter().filter_map(State::end) {
            if let Some(sha256) = &end.evaluator {
                let (first, results) = all.entry(sha256).or_insert((end.offset, 0));
                (*first, *results) = (end.offset.min(*first), *results + 1);
            }
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_unstable_by_key(|(_, (first, _))| *first);
        let each = |(sha256, (_, results)): (&str, _)| Self { sha256: sha256.to_owned(), results };
        all.into_iter().map(each).collect()
    }

    /// As in `3 results with 1f0c2a6b9d8e, 1 with 84a516841ba7`.
    pub fn in_words(all: &[Self]) -> String {
        let each = |(index, Self { sha256, results }): (usize, &Self)| {
            let what = match (index, results) {
                (0, 1) => " result",
                (0, _) => " results",
                _ => "",
            };
            format!("{results}{what} with {}", short(sha256))
        };
        all.iter().enumerate().map(each).collect::<Vec<_>>().join(", ")
    }
}

/// The beginning of a hash.
fn short(sha256: &str) -> &str {
    sha256.get(..SHOWN).unwrap_or(sha256)
}

/// Tells when another evaluator makes results than before.
pub(crate) struct Evaluators {
    path: PathBuf,
    known: Vec<Arc<str>>,
}

impl Evaluators {
    /// For the results that will be added to these; says so if the evaluator is another one by now.
    pub(crate) fn new(sweep: &Sweep, config: &JobConfig) -> Self {
        let path = config.spec().evaluator;
        let mut before = Evaluator::all(sweep);
        let mut known: Vec<Arc<str>> = before.iter().map(|it| it.sha256.as_str().into()).collect();
        if let Some(now) = evaluator_sha256(config) {
            before.retain(|evaluator| evaluator.sha256 != now);
            if !before.is_empty() {
                tracing::warn!(
                    "the evaluator {} has changed since the sweep began: it is {} now (SHA-256); the sweep has {}",
                    path.display(),
                    short(&now),
                    Evaluator::in_words(&before),
                );
            }
            if !known.iter().any(|known| **known == *now) {
                known.push(now.into());
            }
        }
        Self { path, known }
    }

    /// Takes note of the evaluator that made a result; says so if it is a new one.
    pub(crate) fn meet(&mut self, sha256: &str) -> Arc<str> {
        if let Some(known) = self.known.iter().find(|known| ***known == *sha256) {
            return known.clone();
        }
        if let Some(before) = self.known.last() {
            tracing::warn!(
                "the evaluator {} has changed while the sweep runs: it was {} (SHA-256), and is {} now",
                self.path.display(),
                short(before),
                short(sha256),
            );
        }
        let sha256 = Arc::from(sha256);
        self.known.push(Arc::clone(&sha256));
        sha256
    }
}
