//! What writes a sweep down: beside the tasks that see to jobs, since reading results and syncing files takes its time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sortie_model::names;
use sortie_results::jiff::Timestamp;
use sortie_results::{Ended, Fault, Lease, Outcome, Place, Programs, Record, Results, Usage};
use sortie_scheduler::Finished;
use tokio::sync::{mpsc, oneshot};

use crate::breaker::Breaker;
use crate::evaluators::Evaluators;
use crate::files::{Done, SweepFiles};
use crate::{Candidate, End, SweepError, result_line};

/// What was written is on disk within this time.
pub(crate) const SYNC: Duration = Duration::from_secs(1);
/// What is written at once, at most: orders, and about so many bytes.
pub(crate) const ORDERS: usize = 256;
pub(crate) const BYTES: usize = 4 << 20;

/// Something to be written.
pub(crate) enum Order {
    /// Candidates are about to be handed over, which has to wait until this is noted.
    Start { ids: Vec<String>, noted: oneshot::Sender<()> },
    /// A candidate is over.
    Finish(Box<Finish>),
    /// No order that came later counts.
    Close,
}

pub(crate) struct Finish {
    /// Its place in the sweep.
    pub(crate) place: usize,
    pub(crate) candidate: Candidate,
    pub(crate) results_dir: PathBuf,
    /// How it went; `None` if only its results dir tells.
    pub(crate) finished: Option<Arc<Finished>>,
    /// What is in its results dir, or why that is not known.
    pub(crate) left: Result<Box<(Record, Results)>, String>,
}

/// A candidate that is over, with its results, read from its results dir.
pub(crate) struct Read {
    pub(crate) finish: Box<Finish>,
    pub(crate) results: Results,
    /// Its line among the results, without the newline.
    pub(crate) line: Vec<u8>,
    /// The hash of the evaluator that it was made with, if that is known.
    sha256: Option<String>,
    /// The same as the sweep knows it, once it is believed.
    evaluator: Option<Arc<str>>,
    /// As its record says, if there is one.
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

/// What came of it.
pub(crate) enum News {
    /// The candidate at that place is done.
    Done { place: usize, end: End },
    /// Nothing can be written any more.
    Failed(SweepError),
}

pub(crate) struct Writer {
    pub(crate) files: SweepFiles,
    /// For as long as there may be something to write.
    pub(crate) _lease: Lease,
    /// Whether what is begun has to be on disk before it is: where it would outlive this machine.
    pub(crate) sync_starts: bool,
    pub(crate) news: mpsc::UnboundedSender<News>,
    pub(crate) breaker: Breaker,
    pub(crate) evaluators: Evaluators,
}

impl Writer {
    /// Has a candidate run again that has failed, as it may have for want of space alone. On a cluster its job is
    /// there to be judged again.
    pub(crate) fn disbelieve(&self, results_dir: &Path) {
        let failed = Record::read(results_dir).is_ok_and(|record| record.fault.is_some());
        if failed && !self.sync_starts {
            // Where even that is not possible, its verdict stays what it is.
            let _ = fs::remove_file(Place::of(results_dir).state_dir().join(names::RECORD));
        }
    }

    /// Fails where the set-up does, see [`Breaker`].
    pub(crate) fn finish(&mut self, over: &[Read]) -> Result<(), SweepError> {
        if over.is_empty() {
            return Ok(());
        }
        let done: Vec<_> = over
            .iter()
            .map(|Read { finish, results, line, evaluator, .. }| Done {
                id: &finish.candidate.id,
                line,
                results,
                evaluator: evaluator.clone(),
            })
            .collect();
        let ends = self.files.finish(&done)?;
        for (read, end) in over.iter().zip(ends) {
            self.breaker.hear(read, &end);
            let _ = self.news.send(News::Done { place: read.finish.place, end });
        }
        self.breaker.end(&mut self.files)
    }

    pub(crate) fn start(&mut self, starts: Vec<Start>) -> Result<(), SweepError> {
        if starts.is_empty() {
            return Ok(());
        }
        let (ids, noted): (Vec<_>, Vec<_>) = starts.into_iter().unzip();
        self.files.start(ids.concat())?;
        if self.sync_starts {
            self.files.sync()?;
        }
        for noted in noted {
            let _ = noted.send(());
        }
        Ok(())
    }

    /// One that has failed while there is no space is to be run again, and the sweep has no space either.
    pub(crate) fn believe(&mut self, read: &mut Read) -> Result<(), SweepError> {
        if matches!(read.results.fault, Some(Fault::Infrastructure | Fault::Candidate)) {
            let dir = &read.finish.results_dir;
            self.files.is_well().inspect_err(|_| self.disbelieve(dir))?;
        }
        read.evaluator = read.sha256.take().map(|sha256| self.evaluators.meet(&sha256));
        Ok(())
    }
}

/// Candidates that are about to be handed over, and who waits for it to be noted.
pub(crate) type Start = (Vec<String>, oneshot::Sender<()>);

impl Read {
    /// The results of a candidate that is over, and its line.
    pub(crate) fn of(mut finish: Box<Finish>) -> Result<Self, SweepError> {
        let left = std::mem::replace(&mut finish.left, Err(String::new()));
        let Finish { candidate, results_dir, finished, .. } = &*finish;
        let (record, results) = match (left, finished) {
            (Ok(left), _) => (Some(left.0), left.1),
            (Err(error), Some(finished)) => (None, unrecorded(finished, &error)),
            (Err(error), None) => {
                let cause = std::io::Error::other(error);
                return Err(SweepError::Io { action: "read", path: results_dir.clone(), cause });
            }
        };
        let line = result_line::json(candidate, &results, record.as_ref());
        let line = line.map_err(SweepError::io("read the results in", results_dir))?;
        let sha256 = record.as_ref().and_then(|record| record.evaluator_sha256.clone());
        let [started_at, ended_at] = match record {
            Some(record) => [record.started_at, Some(record.ended_at)],
            None => [None, None],
        };
        Ok(Self { finish, results, line, sha256, evaluator: None, started_at, ended_at })
    }
}

/// The results of an attempt that left no record: it never came to one, or it was lost.
fn unrecorded(finished: &Finished, error: &str) -> Results {
    let outcome = match &finished.outcome {
        Outcome::Exited { .. } => Outcome::Lost { reason: error.to_owned() },
        other => other.clone(),
    };
    let (usage, programs) = (Usage::default(), Programs::default());
    let ended = Ended { outcome, seconds: finished.seconds, usage, programs };
    Results::without_dir(finished.attempt, ended)
}
