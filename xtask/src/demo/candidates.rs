//! The candidates, and the end each is expected to come to.

use sortie_results::{Fault, Outcome, Results};

use super::Row;

/// A candidate of the example.
pub(super) struct Candidate {
    /// Its file's name, without the extension.
    pub(super) name: &'static str,
    expected: Expected,
}

/// The end a candidate is expected to come to.
enum Expected {
    /// Correct, with a score of about this.
    Correct(f64),
    /// The evaluator refuses it.
    Wrong,
    /// It is at fault, and its run ends like this.
    Fault(fn(&Outcome) -> bool),
}

/// Those that take long come first, so that the others run beside them.
pub(super) const CANDIDATES: &[Candidate] = &[
    faulty("endless", |outcome| matches!(outcome, Outcome::TimedOut { .. })),
    correct("pushed", 2.617),
    faulty("flooding", |outcome| matches!(outcome, Outcome::OutputLimit { .. })),
    correct("growing", 2.171),
    correct("grid", 2.167),
    correct("hexagonal", 2.439),
    correct("filled_grid", 2.541),
    Candidate { name: "overlapping", expected: Expected::Wrong },
    faulty("aborting", |outcome| matches!(outcome, Outcome::Signaled { .. })),
    // The evaluator has let it pass; the score gives it away.
    faulty("not_a_number", |outcome| matches!(outcome, Outcome::Exited { code: 0 })),
];

const fn correct(name: &'static str, score: f64) -> Candidate {
    Candidate { name, expected: Expected::Correct(score) }
}

const fn faulty(name: &'static str, outcome: fn(&Outcome) -> bool) -> Candidate {
    Candidate { name, expected: Expected::Fault(outcome) }
}

impl Expected {
    fn holds(&self, results: &Results) -> bool {
        let Results { correct, fault, outcome, .. } = results;
        match self {
            Self::Correct(expected) => {
                let near = |score: f64| (score - expected).abs() < 0.01;
                *correct && fault.is_none() && score(results).is_some_and(near)
            }
            Self::Wrong => !correct && fault.is_none() && *outcome == Outcome::Exited { code: 0 },
            Self::Fault(ended) => !correct && *fault == Some(Fault::Candidate) && ended(outcome),
        }
    }
}

impl Row {
    /// What the evaluator measured, if it came to that.
    pub(super) fn score(&self) -> Option<f64> {
        score(&self.results)
    }

    /// How it ended, and what is wrong with it if it ended well and is not correct.
    pub(super) fn outcome(&self) -> String {
        let results = &self.results;
        let refused = || results.correct_json.get("error")?.as_str();
        match (&results.outcome, results.detail.as_deref().or_else(refused)) {
            (outcome @ Outcome::Exited { code: 0 }, Some(wrong)) => format!("{outcome}; {wrong}"),
            (outcome, _) => outcome.to_string(),
        }
    }

    /// What is not as expected.
    pub(super) fn unexpected(&self) -> Option<String> {
        let Self { candidate, results } = self;
        (!candidate.expected.holds(results)).then(|| {
            let correct = if results.correct { "correct" } else { "not correct" };
            let (score, outcome) = (self.score(), self.outcome());
            format!("{} is unexpectedly {correct}: score {score:?}, {outcome}", candidate.name)
        })
    }
}

fn score(results: &Results) -> Option<f64> {
    results.metrics.get("combined_score")?.as_f64()
}
