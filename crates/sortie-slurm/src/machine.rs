//! One job, from its submission to its end, as a machine without commands and clock: it is told
//! what was seen and when, and says what it wants asked and, once, how the job ended.
//!
//! What counts, in this order: the job's own record of its end; the queue; the accounts (or, where
//! there are none, what the controller shows), asked only for a job that has left the queue, or
//! ended in it, without a record; time, for files that arrive late. Only then is a job
//! [`Ending::Lost`], and only on a fresh answer of the queue that does not have it. No answer is
//! never told to the machine: silence is no verdict.

use std::time::{Duration, Instant};

use crate::{Ended, Ending, Evidence, JobInfo, Observation, Patience, Phase, Question, Update};

/// SIGKILL.
const KILL: u16 = 9;
/// How often the queue has to be without a job before that is believed.
const ABSENCES: u32 = 3;
/// How long after the job has gone the first question is asked: its record is most often there by
/// then.
const FIRST_QUESTION: Duration = Duration::from_secs(2);
/// How long after Slurm has said that it is over the first question is asked, and how long a record is still looked
/// for that is not to be expected.
const LAST_LOOKS: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a job that ran has to be found waiting before that is believed: a list may be older than what was
/// seen of it elsewhere.
const TAKEN_BACK: u32 = 2;

/// See the module's description.
#[derive(Debug, Clone)]
pub struct Machine {
    patience: Patience,
    standing: Standing,
    /// The reason it last gave for waiting.
    reason: Option<Box<str>>,
    /// It has left a record that needs Slurm's word.
    recorded: bool,
    /// Since when the queue is without it, and how often it has been found so.
    gone: Option<(Instant, u32)>,
    /// Since when it is known to be over, and how it ended in Slurm's words.
    verdict: Option<(Instant, Ending)>,
    info: Option<JobInfo>,
    accounts: Accounts,
    /// The controller has said that it does not know it.
    forgotten: bool,
    /// When it was last in the queue, waiting.
    waited: Option<Instant>,
    /// How often it was found waiting after it had run.
    taken_back: u32,
    /// For how long the controller remembers a job that is over, if it says so.
    memory: Option<Duration>,
    /// When it was cancelled, as far as the launcher knows.
    cancelled: Option<Instant>,
    /// The next question, when it is due, and how long after that the one after it.
    question: (Question, Instant, Duration),
    over: bool,
}

/// Where the job was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unseen,
    Pending,
    Running,
}

/// What the accounts have said since the job has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accounts {
    /// Nothing yet.
    Silent,
    /// That the job is not in them.
    Without,
    /// That the job is not over.
    Behind,
    /// There are none.
    Missing,
}

impl Machine {
    /// A machine for a job that sbatch has just given an id, or that is taken up again.
    pub fn new(now: Instant, patience: Patience) -> Self {
        Self {
            patience,
            standing: Standing::Unseen,
            reason: None,
            recorded: false,
            gone: None,
            verdict: None,
            info: None,
            accounts: Accounts::Silent,
            forgotten: false,
            waited: None,
            taken_back: 0,
            memory: None,
            cancelled: None,
            question: (Question::Accounts, now + FIRST_QUESTION, FIRST_QUESTION),
            over: false,
        }
    }

    /// Takes in what was seen; the news in it, if there is any.
    pub fn observe(&mut self, now: Instant, seen: Observation) -> Option<Update> {
        if self.over {
            return None;
        }
        match seen {
            Observation::Evidence(Evidence::None) => None,
            Observation::Evidence(Evidence::Complete) => {
                self.recorded = true;
                Some(self.end(Ending::Recorded))
            }
            Observation::Evidence(Evidence::NeedsState) => {
                self.recorded = true;
                self.conclude(now)
            }
            // A job that the controller shows is not gone, whatever the list of its jobs says.
            Observation::Queue(Some(info)) | Observation::Shown(Some(info)) => {
                self.present(now, info)
            }
            Observation::Queue(None) => self.absent(now),
            Observation::Accounts(Some(info)) => self.accounted(now, info),
            Observation::Accounts(None) => {
                self.accounts = Accounts::Without;
                None
            }
            Observation::NoAccounts => {
                self.accounts = Accounts::Missing;
                self.question.0 = Question::Show;
                None
            }
            Observation::Shown(None) => {
                self.forgotten = true;
                self.never_ran(now).then(|| self.end(Ending::Cancelled(None)))
            }
        }
    }

    /// Takes in that scancel was run for the job. One that had not started may leave no trace then.
    pub fn cancelled(&mut self, now: Instant) {
        self.cancelled.get_or_insert(now);
    }

    /// Takes in for how long the controller remembers a job that is over.
    pub fn remembered_for(&mut self, memory: Option<Duration>) {
        self.memory = memory;
    }

    /// Lets time pass; the news in that, if there is any.
    pub fn tick(&mut self, now: Instant) -> Option<Update> {
        if self.over { None } else { self.conclude(now) }
    }

    /// What to ask now about this job alone, if anything. The machine takes it that it is asked.
    pub fn question(&mut self, now: Instant) -> Option<Question> {
        let (question, due, pause) = self.question;
        let exit_known = self.info.as_ref().is_some_and(|info| info.exit.is_some());
        let open = match self.verdict {
            Some(_) => !exit_known,
            None => self.gone.is_some(),
        };
        if self.over || !open || now < due {
            return None;
        }
        // Where the accounts are of no help, the controller may be, and the other way round.
        let next = match question {
            Question::Show if self.accounts != Accounts::Missing => Question::Accounts,
            _ => Question::Show,
        };
        self.question = (next, now + pause, (pause * 2).min(LONGEST_PAUSE));
        Some(question)
    }

    /// Whether the job's record may appear at any moment.
    pub fn may_end(&self) -> bool {
        self.standing != Standing::Pending || self.gone.is_some() || self.verdict.is_some()
    }

    /// Whether the queue's next answer may be news.
    pub fn awaits_queue(&self) -> bool {
        let open = self.standing == Standing::Unseen
            || self.gone.is_some()
            || self.recorded
            || self.taken_back > 0;
        open && !self.over
    }

    fn present(&mut self, now: Instant, info: JobInfo) -> Option<Update> {
        self.gone = None;
        let phase = info.phase();
        if let Phase::Ended(_) = phase {
            self.rule(now, info);
            return self.conclude(now);
        }
        self.verdict = None;
        self.forgotten = false;
        if phase == Phase::Pending && (self.recorded || self.standing == Standing::Running) {
            self.taken_back += 1;
            // Where it ran, which Slurm has forgotten.
            self.info = Some(info.or(self.info.take()));
            return (self.taken_back >= TAKEN_BACK).then(|| self.end(Ending::Requeued));
        }
        self.taken_back = 0;
        self.info = Some(info.clone());
        if phase == Phase::Pending {
            self.waited = Some(now);
        }
        match phase {
            Phase::Pending if self.standing == Standing::Pending && self.reason == info.reason => {
                None
            }
            Phase::Pending => {
                self.standing = Standing::Pending;
                self.reason.clone_from(&info.reason);
                Some(Update::Pending(info))
            }
            Phase::Running if self.standing != Standing::Running => {
                self.standing = Standing::Running;
                Some(Update::Started(info))
            }
            Phase::Running | Phase::Ended(_) => None,
            Phase::Unknown => {
                tracing::warn!(state = %info.state, "a job is in a state that is not known here");
                None
            }
        }
    }

    fn absent(&mut self, now: Instant) -> Option<Update> {
        if self.verdict.is_some() {
            return self.conclude(now);
        }
        let (since, before) = self.gone.unwrap_or_else(|| {
            self.question.1 = now + FIRST_QUESTION;
            self.question.2 = FIRST_QUESTION;
            if self.standing == Standing::Pending {
                // If the controller has forgotten it so soon, it never ran; no record is to be waited for.
                self.question = (Question::Show, now, FIRST_QUESTION);
            }
            (now, 0)
        });
        let absences = before.saturating_add(1);
        self.gone = Some((since, absences));
        let enough = absences >= ABSENCES && now.duration_since(since) >= self.hope();
        let never_ran = self.cancelled.is_some() && self.standing != Standing::Running;
        let how = if never_ran { Ending::Cancelled(None) } else { Ending::Lost };
        enough.then(|| self.end(how))
    }

    fn accounted(&mut self, now: Instant, info: JobInfo) -> Option<Update> {
        match info.phase() {
            // An answer to a question asked before the job came back.
            _ if self.gone.is_none() && self.verdict.is_none() => {}
            Phase::Ended(_) => self.rule(now, info),
            // They will hear of the end later; the queue already knows better.
            _ if self.verdict.is_some() => {}
            Phase::Pending | Phase::Running => self.accounts = Accounts::Behind,
            Phase::Unknown => {
                tracing::warn!(state = %info.state, "the accounts have a state that is not known here");
                self.accounts = Accounts::Without;
                self.info = Some(info.or(self.info.take()));
            }
        }
        self.conclude(now)
    }

    /// Slurm says how the job ended.
    fn rule(&mut self, now: Instant, info: JobInfo) {
        // What one source knows (an exit code, say) may correct what another one calls it.
        let info = info.or(self.info.take());
        let Phase::Ended(how) = info.phase() else { return };
        let how = match (self.verdict, how) {
            // Only the accounts know by whom.
            (Some((_, Ending::Cancelled(by))), Ending::Cancelled(None)) => Ending::Cancelled(by),
            (_, how) => how,
        };
        let since = match (self.verdict, self.gone) {
            (Some((since, _)), _) | (None, Some((since, _))) => since,
            (None, None) => now,
        };
        if self.verdict.is_none() {
            self.question.1 = now + LAST_LOOKS;
        }
        self.verdict = Some((since, how));
        self.info = Some(info);
    }

    /// Whether it left the queue without having run: the controller does not know it, though it had it waiting so
    /// shortly ago that it would remember its end. So it is with an element of an array that somebody else cancels
    /// while it waits: there is no trace of it, not even in the accounts.
    fn never_ran(&self, now: Instant) -> bool {
        let (Some(waited), Some(memory)) = (self.waited, self.memory) else { return false };
        let waiting = self.standing == Standing::Pending && !self.recorded;
        waiting && self.gone.is_some() && now.duration_since(waited) < memory
    }

    /// How long a job is not given up that nobody knows any more.
    fn hope(&self) -> Duration {
        let Patience { late_files, late_accounts, silent_accounts } = self.patience;
        match self.accounts {
            _ if self.recorded => late_files,
            _ if self.cancelled.is_some() && self.standing == Standing::Pending => Duration::ZERO,
            Accounts::Missing if self.forgotten && self.standing != Standing::Unseen => late_files,
            Accounts::Missing | Accounts::Without => late_accounts,
            Accounts::Silent | Accounts::Behind => silent_accounts,
        }
    }

    /// Ends the job if Slurm has said how, and nothing more is to be expected.
    fn conclude(&mut self, now: Instant) -> Option<Update> {
        let (since, how) = self.verdict?;
        let had_node = self.info.as_ref().is_some_and(|info| info.host.is_some());
        // What had no node leaves no record.
        let started = had_node || self.standing == Standing::Running || how == Ending::Completed;
        let mut patience = self.patience.late_files;
        if self.leaves_no_record(how) {
            patience = patience.min(LAST_LOOKS);
        }
        let late = now.duration_since(since) >= patience;
        (self.recorded || !started || late).then(|| self.end(how))
    }

    /// Whether the script had no time to leave a record, or never ran: it was killed, by SIGKILL or with its node, or
    /// was cancelled without a signal that could have reached it.
    fn leaves_no_record(&self, how: Ending) -> bool {
        let signal = self.info.as_ref().and_then(|info| info.exit).map(|exit| exit.signal);
        match how {
            Ending::NodeFailed | Ending::OutOfMemory | Ending::BootFailed | Ending::Revoked => true,
            Ending::Failed => signal == Some(KILL),
            Ending::Cancelled(_) => signal == Some(0),
            _ => false,
        }
    }

    fn end(&mut self, how: Ending) -> Update {
        self.over = true;
        Update::Ended(Ended { how, recorded: self.recorded, info: self.info.take() })
    }
}

#[cfg(test)]
mod tests;
