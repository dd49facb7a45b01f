//! How a candidate fared, and how its end is called.

use sortie_results::{Fault, Outcome};

use crate::Candidate;

/// How a candidate fared, in the order in which the page lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    Correct,
    Incorrect,
    Candidate,
    Setup,
    Infrastructure,
    Cancelled,
}

impl Standing {
    pub(crate) const ALL: [Self; 6] = [
        Self::Correct,
        Self::Incorrect,
        Self::Candidate,
        Self::Setup,
        Self::Infrastructure,
        Self::Cancelled,
    ];

    pub(crate) fn of(candidate: &Candidate) -> Self {
        match (candidate.fault, &candidate.outcome) {
            (Some(Fault::Candidate), _) => Self::Candidate,
            (Some(Fault::Setup), _) => Self::Setup,
            (Some(Fault::Infrastructure), _) => Self::Infrastructure,
            (None, Outcome::Cancelled) => Self::Cancelled,
            (None, _) if candidate.correct => Self::Correct,
            (None, _) => Self::Incorrect,
        }
    }

    /// In words.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Incorrect => "not correct",
            Self::Candidate => "candidate failed",
            Self::Setup => "set-up failed",
            Self::Infrastructure => "machine failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// For the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Incorrect => "incorrect",
            Self::Candidate => "candidate",
            Self::Setup => "setup",
            Self::Infrastructure => "infrastructure",
            Self::Cancelled => "cancelled",
        }
    }

    /// A sign beside the colour, for those who do not tell colours apart.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Correct => "●",
            Self::Incorrect => "○",
            Self::Candidate => "▲",
            Self::Setup => "◆",
            Self::Infrastructure => "■",
            Self::Cancelled => "–",
        }
    }
}

/// What an end is called, without what differs from one to the next: there are few of these.
pub(crate) fn end(outcome: &Outcome, standing: Standing) -> String {
    match outcome {
        Outcome::Exited { code: 0 } => match standing {
            Standing::Correct => "exit code 0",
            Standing::Incorrect => "judged not correct",
            _ => "no usable result",
        },
        Outcome::TimedOut { .. } => "time limit",
        Outcome::OutputLimit { .. } => "output limit",
        Outcome::NotStarted { .. } => "not started",
        Outcome::SetupFailed { .. } => "set-up failed",
        Outcome::SubmitFailed { .. } => "submit failed",
        Outcome::NodeFailed { .. } => "node failed",
        Outcome::Lost { .. } => "lost",
        Outcome::Exited { .. }
        | Outcome::Signaled { .. }
        | Outcome::OutOfMemory
        | Outcome::Cancelled
        | Outcome::Preempted => return crate::text::line(&outcome.to_string(), 60),
    }
    .to_owned()
}
