//! What a results dir says of its job at one moment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_process::Holder;
use sortie_results::{
    EndRecordError, InUse, JobStart, JobState, Owner, OwnerDir, OwnerNote, Place, ReadLimits,
    Record, Results, Sight, Stage, Standing, Submitted, load, sweep_around, sweep_standing,
};

use super::launcher::Launcher;
use super::process::pause;
use super::{HandleError, JobHandle};

/// What a results dir says of its job at one moment.
#[derive(Debug)]
pub struct JobView {
    dir: PathBuf,
    state: JobState,
    launcher: Launcher,
    /// The sweep that it is of, if a launcher sees to that.
    sweep: Option<PathBuf>,
    sight: Sight,
}

impl JobView {
    /// Looks at it.
    ///
    /// # Errors
    ///
    /// As those of [`JobHandle::open`].
    pub fn of(dir: &Path) -> Result<Self, HandleError> {
        // Who is there first: a record that is written meanwhile is seen.
        let launcher = Launcher::of(dir);
        let sight = match Sight::of(dir) {
            // While somebody sees to it, only what that one says counts.
            Err(_) if launcher.is_there() => {
                Sight { record: None, submitted: None, claim: Standing::Free, was_claimed: true }
            }
            sight => sight?,
        };
        let in_hand = |sweep: &PathBuf| sweep_standing(sweep).may_be_held();
        let sweep = sweep_around(dir).filter(|sweep| !launcher.is_there() && in_hand(sweep));
        let state = state(dir, &launcher, &sight, sweep.is_some())
            .ok_or_else(|| HandleError::NoJob { dir: dir.to_owned() })?;
        Ok(Self { dir: dir.to_owned(), state, launcher, sweep, sight })
    }

    /// The job, to be looked at again.
    pub fn handle(&self) -> JobHandle {
        JobHandle { dir: self.dir.clone() }
    }

    /// The results dir, as given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the job is.
    pub fn state(&self) -> JobState {
        self.state
    }

    /// The record of the attempt, of a job that is finished.
    pub fn record(&self) -> Option<&Record> {
        self.sight.record.as_ref().filter(|_| self.state == JobState::Finished)
    }

    /// The note of its submission, if it was handed to Slurm.
    pub fn submitted(&self) -> Option<&Submitted> {
        self.sight.submitted.as_ref()
    }

    /// What the launcher that sees to it says of it, or the last one said.
    pub fn note(&self) -> Option<&OwnerNote> {
        self.launcher.note.as_ref()
    }

    /// Whether a launcher sees to it alone, for certain.
    pub fn is_kept(&self) -> bool {
        self.launcher.is_there()
    }

    /// The launcher that sees to it alone, or may do so.
    pub fn launcher(&self) -> Option<&Owner> {
        self.launcher.standing.owner()
    }

    /// Who has it or may have it: its launcher, or the program whose attempt it is.
    pub fn owner(&self) -> Option<&Owner> {
        self.launcher().or(self.sight.claim.owner())
    }

    /// That it is in use, or may be.
    pub fn in_use(&self) -> Option<InUse> {
        let by_launcher = self.launcher.standing.in_use(&self.dir);
        by_launcher.or_else(|| self.sight.claim.in_use(&self.dir))
    }

    /// The directory of the sweep that it is of, if the launcher of that sees to it.
    pub fn sweep(&self) -> Option<&Path> {
        self.sweep.as_deref()
    }

    /// What its script has noted of its start, of a job of Slurm that has begun.
    ///
    /// # Errors
    ///
    /// There is a note that cannot be read.
    pub fn start(&self) -> Result<Option<JobStart>, EndRecordError> {
        let Some(submitted) = self.submitted() else { return Ok(None) };
        let place = Place::of(&self.dir);
        let end = place.job_end(submitted.attempt);
        match place.job_start(submitted.attempt)? {
            None => Ok(end?.map(|end| end.start)),
            // One that cannot be read is told of.
            start => end.map(|_| start),
        }
    }

    /// What came of it; see [`JobHandle::results`].
    ///
    /// # Errors
    ///
    /// As those of [`JobHandle::results`].
    pub fn results(&self) -> Result<Results, HandleError> {
        self.results_within(self.read_limits())
    }

    /// Its `combined_score`, of a job that is finished, where that is a finite number. Reads its result files.
    pub fn score(&self) -> Option<f64> {
        let limits = ReadLimits { log_tail_bytes: 0, ..self.read_limits() };
        let results = self.results_within(limits).ok()?;
        let score = results.metrics.get("combined_score")?.as_f64();
        score.filter(|score| score.is_finite())
    }

    /// Whether nothing more is written to its logs.
    pub fn has_whole_logs(&self) -> bool {
        let has_ended = |note: &Submitted| {
            Place::of(&self.dir).job_end(note.attempt).is_ok_and(|end| end.is_some())
        };
        match self.state {
            JobState::Finished | JobState::Lost => true,
            // Nobody sees to it, but its script tells of its end.
            JobState::Orphaned => self.submitted().is_some_and(has_ended),
            JobState::Queued | JobState::Running | JobState::Stopping | JobState::Unknown => false,
        }
    }

    /// The log of a launcher without a terminal, where there is one.
    pub fn launcher_log(&self) -> Option<PathBuf> {
        let log = OwnerDir::open(&self.dir).ok()?.log();
        log.exists().then_some(log)
    }

    /// Waits until it may be worth while to look again, and for so long at most.
    pub fn pause(&self, most: Duration) {
        pause(self.process().as_ref(), most);
    }

    /// The launcher's process, where that can be reached from here.
    pub(super) fn process(&self) -> Option<Holder> {
        self.launcher.process()
    }

    fn results_within(&self, limits: ReadLimits) -> Result<Results, HandleError> {
        let dir = || self.dir.clone();
        match (self.record(), self.state) {
            (Some(record), _) => Ok(load(&self.dir, Some(record.attempt), limits)?.1),
            (None, JobState::Queued | JobState::Running | JobState::Stopping) => {
                Err(HandleError::NotOver { dir: dir() })
            }
            (None, _) => Err(HandleError::NoRecord { dir: dir() }),
        }
    }

    fn read_limits(&self) -> ReadLimits {
        self.record().and_then(|record| record.read_limits).unwrap_or_default()
    }
}

/// Where a job is; `None` where there never was one.
fn state(dir: &Path, launcher: &Launcher, sight: &Sight, in_sweep: bool) -> Option<JobState> {
    let is_submitted = sight.submitted.is_some();
    if launcher.is_there() {
        return Some(match launcher.stage() {
            Stage::Queued => JobState::Queued,
            Stage::Running => JobState::Running,
            Stage::Stopping => JobState::Stopping,
        });
    }
    Some(match &sight.claim {
        _ if sight.record.is_some() => JobState::Finished,
        _ if launcher.standing.may_be_held() => JobState::Unknown,
        _ if in_sweep && is_submitted && !has_started(dir, sight) => JobState::Queued,
        _ if in_sweep && is_submitted => JobState::Running,
        _ if is_submitted => JobState::Orphaned,
        Standing::Held(_) => JobState::Running,
        Standing::Unknown(_) => JobState::Unknown,
        // Its launcher has just ended it, or is about to run it again.
        _ if in_sweep && sight.was_claimed => JobState::Running,
        _ if sight.was_claimed || launcher.note.is_some() => JobState::Lost,
        _ => return None,
    })
}

/// Whether a job that was handed to Slurm has begun there.
fn has_started(dir: &Path, sight: &Sight) -> bool {
    let attempt = sight.submitted.as_ref().map(|note| note.attempt);
    attempt
        .is_some_and(|attempt| Place::of(dir).job_start(attempt).is_ok_and(|start| start.is_some()))
}
