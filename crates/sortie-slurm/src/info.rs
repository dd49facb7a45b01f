//! What one of Slurm's commands tells of one job.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::{Ending, JobState, Phase};

/// A job as Slurm saw it. squeue knows neither exit code nor memory, and each source may leave out
/// more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its state.
    pub state: JobState,
    /// Why it waits or failed, in Slurm's words, such as `Resources`, `JobHeldUser`,
    /// `PartitionTimeLimit` or `launch failed requeued held`; squeue(1), JOB REASON CODES.
    pub reason: Option<Box<str>>,
    /// The node its script runs or ran on; `None` if it never started.
    pub host: Option<Box<str>>,
    /// When it started; for a pending job, when Slurm expects it to, if it does.
    pub start: Option<SystemTime>,
    /// When it ended; `None` while it has not.
    pub end: Option<SystemTime>,
    /// How its script ended; `None` while it has not.
    pub exit: Option<ExitCode>,
    /// The largest memory any of its processes used, in bytes, as sampled by the site's accounting.
    pub peak_memory: Option<u64>,
}

/// How a script ended, as Slurm writes it: `CODE:SIGNAL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode {
    /// The exit code.
    pub code: u16,
    /// The signal that ended it, or 0.
    pub signal: u16,
}

/// Slurm's `0:125` says that memory ran out, whatever the state says (`SIG_OOM` in its slurm.h).
const OUT_OF_MEMORY: u16 = 125;

impl JobInfo {
    pub(crate) fn new(state: JobState) -> Self {
        Self {
            state,
            reason: None,
            host: None,
            start: None,
            end: None,
            exit: None,
            peak_memory: None,
        }
    }

    /// What the state means, corrected by the exit code.
    pub fn phase(&self) -> Phase {
        match (self.state.phase(), self.exit) {
            (Phase::Ended(Ending::Failed | Ending::Completed), Some(exit))
                if exit.signal == OUT_OF_MEMORY =>
            {
                Phase::Ended(Ending::OutOfMemory)
            }
            (phase, _) => phase,
        }
    }

    /// Leaves out what Slurm tells of a job that is not over as though it were: the end it expects,
    /// and an exit code of zero.
    pub(crate) fn settled(self) -> Self {
        match self.state.phase() {
            Phase::Ended(_) => self,
            _ => Self { end: None, exit: None, ..self },
        }
    }

    /// Adds what another source, asked earlier, knew and this one does not.
    pub(crate) fn or(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        Self {
            state: self.state,
            reason: self.reason.or(earlier.reason),
            host: self.host.or(earlier.host),
            start: self.start.or(earlier.start),
            end: self.end.or(earlier.end),
            exit: self.exit.or(earlier.exit),
            peak_memory: self.peak_memory.or(earlier.peak_memory),
        }
    }
}

impl ExitCode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (code, signal) = text.trim().split_once(':')?;
        Some(Self { code: code.parse().ok()?, signal: signal.parse().ok()? })
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.code, self.signal)
    }
}

/// A field of text, unless it is one of the ways in which Slurm says that there is nothing.
pub(crate) fn text(field: &str) -> Option<Box<str>> {
    let field = field.trim();
    let nothing = ["", "None", "n/a", "N/A", "(null)", "Unknown", "None assigned"].contains(&field);
    (!nothing).then(|| field.into())
}

/// A time in seconds since 1970, as `SLURM_TIME_FORMAT=%s` has it printed.
pub(crate) fn time(field: &str) -> Option<SystemTime> {
    let seconds = field.trim().parse::<u64>().ok().filter(|seconds| *seconds > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// A size such as `1234K`, `1.5M` or `17`, in bytes.
pub(crate) fn bytes(field: &str) -> Option<u64> {
    let field = field.trim();
    let unit = field.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let power = match unit {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    let number = field[..field.len() - unit.len()].parse::<f64>().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; no sign"
    )]
    Some((number * 1024_f64.powi(power)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_ran_out_is_seen_whatever_the_state_says() {
        for (state, exit, expected) in [
            ("FAILED", "0:125", Ending::OutOfMemory),
            ("COMPLETED", "0:125", Ending::OutOfMemory),
            ("OUT_OF_MEMORY", "0:0", Ending::OutOfMemory),
            ("FAILED", "125:0", Ending::Failed),
            ("TIMEOUT", "0:125", Ending::TimedOut),
        ] {
            let mut info = JobInfo::new(JobState::parse(state));
            info.exit = ExitCode::parse(exit);
            assert_eq!(info.phase(), Phase::Ended(expected), "{state} {exit}");
        }
    }

    #[test]
    fn fields_say_nothing_in_many_ways() {
        for nothing in ["", " ", "N/A", "n/a", "(null)", "None", "Unknown", "None assigned"] {
            assert_eq!((text(nothing), time(nothing)), (None, None), "{nothing}");
        }
        assert_eq!(text(" JobHeldUser "), Some("JobHeldUser".into()));
        assert_eq!(
            time("1795534380"),
            Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_534_380))
        );
    }

    #[test]
    fn sizes_are_in_units_of_1024() {
        let expected = [("17", 17), ("2K", 2048), ("1.5M", 3 << 19), ("0", 0)];
        for (field, size) in expected {
            assert_eq!(bytes(field), Some(size), "{field}");
        }
        assert_eq!((bytes(""), bytes("K"), bytes("5X")), (None, None, None));
    }
}
