//! A sweep, as its ledger tells it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use sortie_results::AttemptId;
use sortie_results::jiff::Timestamp;

use crate::again::forget;
use crate::entry::{Entry, NamedEnd, VERSION};
use crate::{Candidate, End, Header, Session, SweepError, line};

/// A sweep, as its ledger tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// What it is.
    pub header: Header,
    /// What there is to do, in order.
    pub candidates: Vec<Candidate>,
    /// How far each candidate is, in their order.
    pub states: Vec<State>,
    /// The launchers that saw to it, one after the other.
    pub sessions: Vec<Session>,
    /// Attempts that count no more, by the places of their candidates.
    pub(crate) dead: HashMap<usize, AttemptId>,
    /// How much of the ledger is whole, in bytes.
    pub(crate) whole: u64,
}

/// How far a candidate is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It waits for its turn.
    Waiting,
    /// It was handed over to be run: it is queued, or runs, or did when the launcher ended.
    Started {
        /// When.
        at: Timestamp,
    },
    /// It is done.
    Ended(End),
}

impl State {
    /// The end, if it is done.
    pub fn end(&self) -> Option<&End> {
        match self {
            Self::Ended(end) => Some(end),
            Self::Waiting | Self::Started { .. } => None,
        }
    }
}

impl Sweep {
    /// Reads a ledger up to its first line that is not whole.
    pub(crate) fn parse(ledger: &Path, bytes: &[u8]) -> Result<Self, SweepError> {
        let mut lines = Lines { bytes, whole: 0 };
        let damaged =
            |line, expected| SweepError::Damaged { ledger: ledger.to_owned(), line, expected };
        let Some(Entry::Sweep(header)) = lines.next() else {
            return Err(version(ledger, bytes).unwrap_or_else(|| damaged(1, "what the sweep is")));
        };
        let mut candidates = Vec::with_capacity(header.candidates);
        for number in 0..header.candidates {
            let Some(Entry::Candidate(candidate)) = lines.next() else {
                return Err(damaged(number + 2, "a candidate"));
            };
            candidates.push(candidate);
        }
        let states = vec![State::Waiting; candidates.len()];
        let (sessions, dead) = (Vec::new(), HashMap::new());
        let mut sweep = Self { header, candidates, states, sessions, dead, whole: 0 };
        sweep.follow(&mut lines);
        sweep.whole = lines.whole as u64;
        Ok(sweep)
    }

    fn follow(&mut self, lines: &mut Lines<'_>) {
        let places = places(&self.candidates);
        let mut evaluators: HashSet<Arc<str>> = HashSet::new();
        let mut evaluator = None;
        let set = |states: &mut Vec<State>, id: &str, state| {
            if let Some(place) = places.get(id).and_then(|place| states.get_mut(*place)) {
                *place = state;
            }
        };
        for entry in lines {
            match entry {
                Entry::Session(session) => {
                    self.sessions.push(session);
                    evaluator = None;
                }
                Entry::Start { at, ids } => {
                    for id in ids {
                        set(&mut self.states, &id, State::Started { at });
                    }
                }
                Entry::Evaluator { sha256 } => {
                    // They are few, and have many ends.
                    let sha256 = sha256.map(Arc::<str>::from);
                    let known = sha256.as_ref().and_then(|sha256| evaluators.get(sha256));
                    evaluator = known.or(sha256.as_ref()).cloned();
                    evaluators.extend(evaluator.clone());
                }
                Entry::End(NamedEnd { id, end }) => {
                    let evaluator = evaluator.clone();
                    set(&mut self.states, &id, State::Ended(End { evaluator, ..end }));
                }
                Entry::Cut { at, offset } => {
                    let beyond = |state: &&mut State| {
                        state.end().is_some_and(|end| end.next_offset() > offset)
                    };
                    for state in self.states.iter_mut().filter(beyond) {
                        // It was begun once: what is left of that is to be looked for.
                        *state = State::Started { at };
                    }
                }
                Entry::Again { candidates, .. } => {
                    forget(&places, &mut self.states, &mut self.dead, &candidates);
                }
                Entry::Sweep(_) | Entry::Candidate(_) => {}
            }
        }
    }
}

/// Where candidates are, by their ids.
pub(crate) fn places(candidates: &[Candidate]) -> HashMap<&str, usize> {
    candidates.iter().map(|candidate| candidate.id.as_str()).zip(0..).collect()
}

/// The version of a ledger that is not read, if it is another than ours.
fn version(ledger: &Path, bytes: &[u8]) -> Option<SweepError> {
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    let value: serde_json::Value = line::read(first)?;
    let version = value.get("sweep")?.get("version")?.as_u64()?.try_into().ok()?;
    (version != VERSION).then(|| SweepError::Version { ledger: ledger.to_owned(), version })
}

/// The entries up to the first that is not whole.
struct Lines<'a> {
    bytes: &'a [u8],
    whole: usize,
}

impl Iterator for Lines<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let rest = self.bytes.get(self.whole..)?;
        let len = rest.iter().position(|byte| *byte == b'\n')?;
        let entry = line::read(rest.get(..len)?)?;
        if matches!(&entry, Entry::Sweep(header) if header.version != VERSION) {
            return None;
        }
        self.whole += len + 1;
        Some(entry)
    }
}
