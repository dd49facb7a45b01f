//! How a sweep fares, in numbers.

use schemars::JsonSchema;
use serde::Serialize;
use sortie_results::Fault;

use crate::{Candidate, End, State, Stop, Sweep};

/// How a sweep fares.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Progress {
    /// How many candidates there are. A few may be over and not written down yet, and so in none of the other counts.
    pub candidates: usize,
    /// How many candidates wait for their turn.
    pub waiting: usize,
    /// How many were handed over and do not run yet.
    pub queued: usize,
    /// How many run.
    pub running: usize,
    /// Those that are done.
    pub done: Counts,
    /// The best of them.
    pub best: Option<Best>,
    /// Whether it is to stop.
    #[serde(skip)]
    pub stop: Stop,
}

/// How many candidates are done, by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Correct.
    pub correct: usize,
    /// Not correct: the evaluator said so.
    pub incorrect: usize,
    /// Failed, by the candidate's own fault: it crashed, ran into a limit, or left no usable result.
    pub candidate: usize,
    /// Failed for something that the user has to mend.
    pub setup: usize,
    /// Failed because of the machine or the cluster.
    pub infrastructure: usize,
    /// Stopped by somebody, and so without a verdict.
    pub stopped: usize,
}

/// A candidate and its score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Best {
    /// The candidate's id.
    pub id: String,
    /// Its path; what is not UTF-8 in it is U+FFFD.
    pub candidate: String,
    /// Its score.
    pub score: f64,
}

/// How many candidates of a sweep are not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// They wait for their turn.
    pub waiting: usize,
    /// They were handed over to be run: they are queued, or run.
    pub started: usize,
}

impl Left {
    /// Counts them: the one count that a summary, a status and a report show. `in_hand` says whether a launcher sees to
    /// the sweep now. Without one nothing is under way that would end by itself here: what was handed over waits for the
    /// launcher that resumes the sweep, be it to be run again or to be taken up in Slurm.
    pub fn of(sweep: &Sweep, in_hand: bool) -> Self {
        let mut left = Self::default();
        for state in &sweep.states {
            match state {
                State::Ended(_) => {}
                State::Started { .. } if in_hand => left.started += 1,
                State::Waiting | State::Started { .. } => left.waiting += 1,
            }
        }
        left
    }
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> usize {
        self.correct
            + self.incorrect
            + self.candidate
            + self.setup
            + self.infrastructure
            + self.stopped
    }

    fn add(&mut self, end: &End) {
        *match end.fault {
            _ if end.correct => &mut self.correct,
            Some(Fault::Setup) => &mut self.setup,
            Some(Fault::Infrastructure) => &mut self.infrastructure,
            None if end.is_stopped() => &mut self.stopped,
            Some(Fault::Candidate) => &mut self.candidate,
            None => &mut self.incorrect,
        } += 1;
    }
}

impl Best {
    pub(crate) fn new(candidate: &Candidate, score: f64) -> Self {
        let path = candidate.path.to_string_lossy().into_owned();
        Self { id: candidate.id.clone(), candidate: path, score }
    }
}

impl Progress {
    /// Of a sweep to which nobody sees: what was begun counts as waiting.
    pub fn of(sweep: &Sweep) -> Self {
        let candidates = sweep.candidates.len();
        let waiting = Left::of(sweep, false).waiting;
        let mut progress = Self { candidates, waiting, ..Self::default() };
        for (candidate, state) in sweep.candidates.iter().zip(&sweep.states) {
            if let State::Ended(end) = state {
                progress.add(candidate, end);
            }
        }
        progress
    }

    /// Counts one that is done. Of equal scores the first counts.
    pub(crate) fn add(&mut self, candidate: &Candidate, end: &End) {
        self.done.add(end);
        if let Some(score) = end.score
            && self.best.as_ref().is_none_or(|best| score > best.score)
        {
            self.best = Some(Best::new(candidate, score));
        }
    }
}
