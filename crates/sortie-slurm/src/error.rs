//! Why one of Slurm's commands did not do what it was asked for.

use std::time::Duration;

use thiserror::Error;

use crate::words;

/// What went wrong with one of Slurm's commands.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not installed here.
    #[error(
        "cannot find `{command}` on PATH ({path}): run on a machine of the cluster where Slurm's \
         commands work, and load its module if it needs one"
    )]
    Missing {
        /// The command.
        command: &'static str,
        /// The `PATH` it was looked up in.
        path: String,
    },
    /// It could not be run, or was killed by another.
    #[error("`{command}` did not run to its end: {problem}")]
    NotRun {
        /// The command.
        command: &'static str,
        /// What happened to it.
        problem: String,
    },
    /// It said nothing for too long.
    #[error("`{command}` gave no answer in {} s{}", limit.as_secs_f64(), said(words))]
    TimedOut {
        /// The command.
        command: &'static str,
        /// How long it was given.
        limit: Duration,
        /// What it had said by then.
        words: String,
    },
    /// It failed, and said why.
    #[error("`{command}` failed ({status}){}", said(words))]
    Failed {
        /// The command.
        command: &'static str,
        /// Its exit code or signal, such as `exit code 1`.
        status: String,
        /// What it said.
        words: String,
    },
    /// It said that it did what was asked for, in words that are not understood.
    #[error("cannot find {wanted} in what `{command}` printed: {output:?}")]
    NotUnderstood {
        /// The command.
        command: &'static str,
        /// What should have been there.
        wanted: &'static str,
        /// What was there, at most its first 2,000 bytes.
        output: String,
    },
    /// The site keeps no accounts, so that `sacct` has nothing to tell.
    #[error("`sacct` has nothing to tell: accounting is disabled on this cluster")]
    NoAccounting,
}

/// What to do about an [error](enum@Error).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Try again: it passes by itself, in seconds to minutes.
    Retry,
    /// Try again after a while: it passes when other jobs end.
    Wait,
    /// Tell the user: trying again gives the same error.
    Report,
}

impl Error {
    /// What to do about it.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Failed { words, .. } => words::advice(words),
            Self::TimedOut { words, .. } if words::advice(words) == Advice::Wait => Advice::Wait,
            Self::TimedOut { .. } | Self::NotRun { .. } => Advice::Retry,
            Self::Missing { .. } | Self::NotUnderstood { .. } | Self::NoAccounting => {
                Advice::Report
            }
        }
    }

    /// Whether the controller may have done what it was asked for all the same.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Failed { words, .. } => {
                words::advice(words) == Advice::Retry && !words::contains(words, words::UNSENT)
            }
            Self::TimedOut { .. } | Self::NotRun { .. } | Self::NotUnderstood { .. } => true,
            Self::Missing { .. } | Self::NoAccounting => false,
        }
    }

    /// Whether a command failed with that phrase among its words.
    pub(crate) fn says(&self, phrase: &str) -> bool {
        matches!(self, Self::Failed { words, .. } if words::contains(words, phrase))
    }
}

/// Slurm's words on one line.
fn said(words: &str) -> String {
    let lines: Vec<_> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { String::new() } else { format!(": {}", lines.join("; ")) }
}
