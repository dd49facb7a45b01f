//! What a results dir says of its job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::styling::AnsiColor;
use sortie_results::jiff::Timestamp;
use sortie_results::{
    EndRecordError, JobStart, KeeperDir, Owner, Place, ReadLimits, Record, Sight, Stage, Standing,
    load,
};

use crate::exit_status;
use crate::failure::{Failure, TAKE_OVER, with_dir};
use crate::forms::{JobStatus, KeeperForm, SlurmForm, State, VERSION};
use crate::keeper::{Sighted, who};
use crate::output::{bold, one_line};
use crate::view::{rest, sweep};

/// A results dir that a job was given.
pub(crate) struct JobView {
    pub(crate) dir: PathBuf,
    pub(crate) state: State,
    pub(crate) sighted: Sighted,
    /// The sweep that it is of, if a launcher sees to that.
    sweep: Option<PathBuf>,
    sight: Sight,
}

impl JobView {
    /// Looks at it.
    ///
    /// # Errors
    ///
    /// It is not there or cannot be read, or nothing was ever run in it.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        // Who is there first: a record that is written meanwhile is seen.
        let sighted = Sighted::in_dir(dir);
        let sight = Sight::of(dir);
        let sight = match sight {
            // While somebody sees to it, only what that one says counts.
            Err(_) if sighted.is_there() => {
                Sight { record: None, submitted: None, claim: Standing::Free, was_claimed: true }
            }
            sight => sight?,
        };
        let said = sighted.note.as_ref().map_or(Stage::Running, |note| note.stage);
        let sweep = sweep::in_hand_around(dir).filter(|_| !sighted.is_there());
        let state = match (sighted.is_there(), said) {
            (true, Stage::Queued) => State::Queued,
            (true, Stage::Running) => State::Running,
            (true, Stage::Stopping) => State::Stopping,
            (false, _) if sight.record.is_some() => State::Finished,
            (false, _) if sighted.is_unknown() => State::Unknown,
            (false, _) if sweep.is_some() && sight.submitted.is_some() => {
                if has_started(dir, &sight) { State::Running } else { State::Queued }
            }
            (false, _) if sight.submitted.is_some() => State::Orphaned,
            (false, _) if matches!(sight.claim, Standing::Held(_)) => State::Running,
            (false, _) if matches!(sight.claim, Standing::Unknown(_)) => State::Unknown,
            // Its launcher has just ended it, or is about to run it again.
            (false, _) if sweep.is_some() && sight.was_claimed => State::Running,
            (false, _) if sight.was_claimed || sighted.note.is_some() => State::Lost,
            (false, _) => return Err(Failure::NoJob(dir.to_owned())),
        };
        Ok(Self { dir: dir.to_owned(), state, sighted, sweep, sight })
    }

    /// The sweep that it is of, if a launcher sees to that.
    pub(crate) fn sweep(&self) -> Option<&Path> {
        self.sweep.as_deref()
    }

    /// Waits until it may be worth while to look again, and for so long at most.
    pub(crate) fn rest(&self, most: Duration) {
        rest(self.sighted.holder().as_ref(), most);
    }

    /// Whether it was handed to Slurm.
    pub(crate) fn is_submitted(&self) -> bool {
        self.sight.submitted.is_some()
    }

    /// The files of the leases that a job has.
    pub(crate) fn leases(&self) -> Vec<PathBuf> {
        let keeper = KeeperDir::open(&self.dir).ok();
        keeper.map(|keeper| vec![keeper.lease(), keeper.claim()]).unwrap_or_default()
    }

    /// Who has it or may have it.
    fn owner(&self) -> Option<&Owner> {
        self.sighted.owner().or(match &self.sight.claim {
            Standing::Held(owner) | Standing::Unknown(owner) => owner.as_deref(),
            Standing::Free | Standing::Gone(_) => None,
        })
    }

    /// The same in words.
    pub(crate) fn owner_in_words(&self) -> String {
        who(self.owner())
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        self.sight.record.as_ref().filter(|_| self.state == State::Finished)
    }

    /// How much of what it left is read.
    pub(crate) fn read_limits(&self) -> ReadLimits {
        self.record().and_then(|record| record.read_limits).unwrap_or_default()
    }

    /// The exit status of `sortie run`, of a job that nobody sees to any more.
    pub(crate) fn status(&self) -> u8 {
        self.record().map_or(exit_status::INFRASTRUCTURE, |record| {
            exit_status::of(record.fault, &record.outcome, record.correct)
        })
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<String> {
        match self.state {
            State::Orphaned | State::Lost if sweep::is_around(&self.dir) => {
                Some("its sweep is not running: `sortie sweep --resume` continues it".to_owned())
            }
            State::Orphaned => Some(with_dir(
                "its launcher is gone, but Slurm has or had the job: `sortie attach --config FILE DIR` takes it up again",
                &self.dir,
            )),
            State::Lost => Some(match KeeperDir::open(&self.dir).map(|keeper| keeper.log()) {
                Ok(log) if log.exists() => format!(
                    "its launcher was killed or could not write; its messages are in {}; run the job again",
                    log.display()
                ),
                _ => "its launcher was killed or could not write; run the job again".to_owned(),
            }),
            State::Unknown => Some(format!(
                "{} has or had it; whether that still runs cannot be told from here: {TAKE_OVER}",
                self.owner_in_words()
            )),
            _ => None,
        }
    }

    pub(crate) fn form(&self) -> JobStatus {
        let record = self.record();
        let note = self.sighted.note.as_ref();
        let told = note.filter(|_| self.sighted.is_there());
        let submitted = self.sight.submitted.as_ref();
        let candidate = record.map(|record| record.candidate.clone());
        let candidate = candidate.or_else(|| note.and_then(|note| note.candidate.clone()));
        let attempt = record.map(|record| record.attempt);
        JobStatus {
            version: VERSION,
            kind: "job",
            dir: self.dir.to_string_lossy().into_owned(),
            state: self.state,
            reason: told.and_then(|note| note.reason.clone()),
            since: record.map(|record| record.ended_at).or(told.map(|note| note.stage_since)),
            candidate: candidate.or_else(|| submitted.map(|note| note.candidate.clone())),
            attempt: attempt.or_else(|| submitted.map(|note| note.attempt)),
            correct: record.map(|record| record.correct),
            score: self.score(),
            outcome: record.map(|record| record.outcome.clone()),
            fault: record.and_then(|record| record.fault),
            detail: record.and_then(|record| record.detail.clone()).or_else(|| self.problem()),
            seconds: record.map(|record| record.seconds),
            keeper: self.keeper(),
            slurm: submitted.map(|note| SlurmForm {
                job_name: note.job_name.clone(),
                job_id: self.job_id(),
                element: note.element,
            }),
            advice: self.advice(),
        }
    }

    fn keeper(&self) -> Option<KeeperForm> {
        let owner = self.sighted.owner()?;
        let (host, pid) = (Some(owner.host.clone()), Some(owner.pid));
        Some(KeeperForm { host, pid, command: owner.command.clone() })
    }

    /// Its id with Slurm, as its script has noted it.
    fn job_id(&self) -> Option<String> {
        self.start().ok().flatten().map(|start| start.job_id)
    }

    /// What its script has noted of its start.
    fn start(&self) -> Result<Option<JobStart>, EndRecordError> {
        let Some(submitted) = &self.sight.submitted else { return Ok(None) };
        let place = Place::of(&self.dir);
        let end = || place.job_end(submitted.attempt);
        match place.job_start(submitted.attempt)? {
            None => Ok(end()?.map(|end| end.start)),
            // One that cannot be read is told of.
            start => end().map(|_| start),
        }
    }

    /// What is wrong with what its script has noted.
    fn problem(&self) -> Option<String> {
        self.start().err().map(|error| error.to_string())
    }

    fn score(&self) -> Option<f64> {
        let record = self.record()?;
        let limits = ReadLimits { log_tail_bytes: 0, ..self.read_limits() };
        let (_, results) = load(&self.dir, Some(record.attempt), limits).ok()?;
        let score = results.metrics.get("combined_score")?.as_f64();
        score.filter(|score| score.is_finite())
    }

    /// A line for people, with colours.
    pub(crate) fn line(&self) -> String {
        let (color, state) = match self.state {
            State::Queued => (AnsiColor::Yellow, "queued"),
            State::Running => (AnsiColor::Cyan, "running"),
            State::Stopping => (AnsiColor::Yellow, "stopping"),
            State::Finished if self.record().is_some_and(|record| record.correct) => {
                (AnsiColor::Green, "finished")
            }
            State::Finished => (AnsiColor::Red, "finished"),
            State::Orphaned => (AnsiColor::Magenta, "orphaned"),
            State::Lost => (AnsiColor::Red, "lost"),
            State::Unknown => (AnsiColor::Magenta, "unknown"),
        };
        let style = bold(color);
        let dir = one_line(&self.dir.to_string_lossy());
        format!("{style}{state:<8}{style:#}  {dir}  {}\n", one_line(&self.said()))
    }

    fn said(&self) -> String {
        if let Some(record) = self.record() {
            let what = match (&record.detail, self.score()) {
                (Some(detail), _) => detail.clone(),
                (None, Some(score)) if record.correct => format!("correct, score {score}"),
                (None, _) if record.correct => "correct".to_owned(),
                (None, _) => "not correct".to_owned(),
            };
            return format!("{what} ({:.1} s)", record.seconds.running);
        }
        if let Some(advice) = self.advice() {
            return self.problem().map(|problem| problem + "; ").unwrap_or_default() + &advice;
        }
        if let Some(sweep) = &self.sweep {
            return format!("run by the sweep {}", sweep.display());
        }
        if !self.sighted.is_there() {
            return format!("in use by another program, {}", self.owner_in_words());
        }
        let note = self.sighted.note.as_ref();
        let reason = note.and_then(|note| note.reason.clone());
        let reason = reason.map(|reason| format!("{reason}, ")).unwrap_or_default();
        let time = note.map_or(0, |note| seconds_since(note.stage_since));
        format!("{reason}for {time} s ({})", self.sighted.who())
    }
}

/// Whether a job that was handed to Slurm has begun there.
fn has_started(dir: &Path, sight: &Sight) -> bool {
    let attempt = sight.submitted.as_ref().map(|note| note.attempt);
    attempt
        .is_some_and(|attempt| Place::of(dir).job_start(attempt).is_ok_and(|start| start.is_some()))
}

fn seconds_since(time: Timestamp) -> i64 {
    Timestamp::now().duration_since(time).as_secs().max(0)
}
