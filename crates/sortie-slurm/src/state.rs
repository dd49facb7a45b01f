//! The states of a job, and what each means for one who waits for it.

use std::fmt;

/// A job's state as squeue(1), sacct(1) and `scontrol show job` print it: base states, and flags
/// that hide the base state while they are set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "named as Slurm names them; squeue(1), JOB STATE CODES, explains them"
)]
pub enum JobState {
    BootFail,
    /// By the user with that id, where Slurm tells.
    Cancelled(Option<u32>),
    Completed,
    Configuring,
    Completing,
    Deadline,
    Expediting,
    Failed,
    LaunchFailed,
    NodeFail,
    OutOfMemory,
    Pending,
    PowerUpNode,
    Preempted,
    ReconfigFail,
    Running,
    ReservationDeletedHold,
    RequeueFederation,
    RequeueHold,
    Requeued,
    Resizing,
    Revoked,
    Signaling,
    SpecialExit,
    StageOut,
    Stopped,
    Suspended,
    Timeout,
    UpdateDb,
    /// One that is not among the above, as it was printed.
    Unknown(Box<str>),
}

/// What a state means for one who waits for the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for its turn.
    Pending,
    /// It has, or has had, its nodes and is not known to be over.
    Running,
    /// It is over.
    Ended(Ending),
    /// Nobody can tell: the state is not known here.
    Unknown,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its own record of the end is complete, and Slurm was not asked.
    Recorded,
    /// Its script exited with zero.
    Completed,
    /// Its script exited with another code, was ended by a signal, or could not be launched.
    Failed,
    /// It reached its time limit.
    TimedOut,
    /// It used more memory than it had asked for.
    OutOfMemory,
    /// A node of its failed.
    NodeFailed,
    /// Its nodes did not come up, or did not launch it.
    BootFailed,
    /// Another job took its place.
    Preempted,
    /// It was cancelled, by the user with that id where Slurm tells.
    Cancelled(Option<u32>),
    /// It could not end before its deadline.
    Deadline,
    /// Slurm has put it back into its queue after it had run, for example because of `scontrol requeue`. It would run again.
    Requeued,
    /// Another cluster of the federation runs it.
    Revoked,
    /// Slurm knows nothing of it any more, and it has left no record: how it ended, or whether it
    /// ever ran, cannot be told.
    Lost,
}

/// The states as they are printed. Those after `SUSPENDED` of Slurm 23 and later were read in its
/// sources (`job_state_string`).
const NAMES: &[(&str, JobState)] = &[
    ("BOOT_FAIL", JobState::BootFail),
    ("CANCELLED", JobState::Cancelled(None)),
    ("COMPLETED", JobState::Completed),
    ("CONFIGURING", JobState::Configuring),
    ("COMPLETING", JobState::Completing),
    ("DEADLINE", JobState::Deadline),
    ("FAILED", JobState::Failed),
    ("NODE_FAIL", JobState::NodeFail),
    ("OUT_OF_MEMORY", JobState::OutOfMemory),
    ("PENDING", JobState::Pending),
    ("PREEMPTED", JobState::Preempted),
    ("RUNNING", JobState::Running),
    ("RESV_DEL_HOLD", JobState::ReservationDeletedHold),
    ("REQUEUE_FED", JobState::RequeueFederation),
    ("REQUEUE_HOLD", JobState::RequeueHold),
    ("REQUEUED", JobState::Requeued),
    ("RESIZING", JobState::Resizing),
    ("REVOKED", JobState::Revoked),
    ("SIGNALING", JobState::Signaling),
    ("SPECIAL_EXIT", JobState::SpecialExit),
    ("STAGE_OUT", JobState::StageOut),
    ("STOPPED", JobState::Stopped),
    ("SUSPENDED", JobState::Suspended),
    ("TIMEOUT", JobState::Timeout),
    ("EXPEDITING", JobState::Expediting),
    ("LAUNCH_FAILED", JobState::LaunchFailed),
    ("POWER_UP_NODE", JobState::PowerUpNode),
    ("RECONFIG_FAIL", JobState::ReconfigFail),
    ("UPDATE_DB", JobState::UpdateDb),
];

impl JobState {
    /// Reads a state; what is not known is kept as it is. Of `CANCELLED by 1000` the user is kept,
    /// and a `+`, by which sacct says that there is more to tell, is dropped.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default().trim_end_matches('+');
        let by = match (words.next(), words.next()) {
            (Some("by"), Some(user)) => user.trim_end_matches('+').parse().ok(),
            _ => None,
        };
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, Self::Cancelled(_))) => Self::Cancelled(by),
            Some((_, state)) => state.clone(),
            None => Self::Unknown(text.into()),
        }
    }

    /// What it means for one who waits for the job.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Pending
            | Self::ReservationDeletedHold
            | Self::RequeueFederation
            | Self::RequeueHold
            | Self::Requeued
            | Self::SpecialExit => Phase::Pending,
            // The flags among these can be set on a job that waits or is over, too; neither is news
            // that could not wait until the flag is gone.
            Self::Running
            | Self::Configuring
            | Self::Completing
            | Self::Expediting
            | Self::PowerUpNode
            | Self::Resizing
            | Self::Signaling
            | Self::StageOut
            | Self::Stopped
            | Self::Suspended
            | Self::UpdateDb => Phase::Running,
            Self::BootFail | Self::LaunchFailed | Self::ReconfigFail => {
                Phase::Ended(Ending::BootFailed)
            }
            Self::Cancelled(by) => Phase::Ended(Ending::Cancelled(*by)),
            Self::Completed => Phase::Ended(Ending::Completed),
            Self::Deadline => Phase::Ended(Ending::Deadline),
            Self::Failed => Phase::Ended(Ending::Failed),
            Self::NodeFail => Phase::Ended(Ending::NodeFailed),
            Self::OutOfMemory => Phase::Ended(Ending::OutOfMemory),
            Self::Preempted => Phase::Ended(Ending::Preempted),
            Self::Revoked => Phase::Ended(Ending::Revoked),
            Self::Timeout => Phase::Ended(Ending::TimedOut),
            Self::Unknown(_) => Phase::Unknown,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text) => f.write_str(text),
            Self::Cancelled(Some(user)) => write!(f, "CANCELLED by {user}"),
            _ => NAMES
                .iter()
                .find(|(_, state)| state == self)
                .map_or(Ok(()), |(n, _)| f.write_str(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for (name, state) in NAMES {
            assert_eq!(&JobState::parse(name), state);
            assert_eq!(&JobState::parse(&format!(" {name}+ ")), state);
            assert_eq!(state.to_string(), *name);
            assert_ne!(state.phase(), Phase::Unknown, "{name}");
        }
    }

    #[test]
    fn who_cancelled_is_kept() {
        assert_eq!(JobState::parse("CANCELLED by 1000"), JobState::Cancelled(Some(1000)));
        assert_eq!(JobState::parse("CANCELLED+"), JobState::Cancelled(None));
        assert_eq!(JobState::parse("CANCELLED by 10+").to_string(), "CANCELLED by 10");
        assert_eq!(JobState::parse("CANCELLED by root"), JobState::Cancelled(None));
    }

    #[test]
    fn what_is_not_known_is_kept_as_text() {
        for text in ["HIBERNATED", "", "NODE_FAILURE by 3", "running"] {
            let state = JobState::parse(text);
            assert_eq!((state.to_string().as_str(), state.phase()), (text, Phase::Unknown));
        }
    }

    #[test]
    fn the_ends_are_told_apart() {
        let ending = |text| match JobState::parse(text).phase() {
            Phase::Ended(ending) => Some(ending),
            _ => None,
        };
        assert_eq!(ending("OUT_OF_MEMORY"), Some(Ending::OutOfMemory));
        assert_eq!(ending("TIMEOUT"), Some(Ending::TimedOut));
        assert_eq!(ending("NODE_FAIL"), Some(Ending::NodeFailed));
        assert_eq!(ending("PREEMPTED"), Some(Ending::Preempted));
        assert_eq!(ending("CANCELLED by 0"), Some(Ending::Cancelled(Some(0))));
        for unfinished in ["COMPLETING", "REQUEUED", "SPECIAL_EXIT", "RESV_DEL_HOLD", "SUSPENDED"] {
            assert_eq!(ending(unfinished), None, "{unfinished}");
        }
    }
}
