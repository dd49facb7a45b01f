//! What keeps a command's processes from outliving it here.

use std::fmt;

use nix::sys::prctl;

/// One of the means that keep processes from outliving their command. Which are there depends on
/// the kernel and on what a container lets through;
/// [`Supervisor::protections`](crate::Supervisor::protections) tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Every command runs in a session of its own: its process groups are signalled as a whole.
    Session,
    /// Processes that lose their parent fall to the command's reaper and not to init, so that
    /// `setsid` and double forks lead nowhere (`PR_SET_CHILD_SUBREAPER`, prctl(2)).
    Subreaper,
    /// The kernel kills the command when its reaper dies (`PR_SET_PDEATHSIG`, prctl(2)).
    DeathSignal,
    /// The launcher's death is seen at once (`pidfd_open(2)`), even where a copy of its socket
    /// lives on in another process.
    LauncherWatch,
    /// `/proc` shows which processes are there.
    ProcessList,
}

const ALL: [Protection; 5] = [
    Protection::Session,
    Protection::Subreaper,
    Protection::DeathSignal,
    Protection::LauncherWatch,
    Protection::ProcessList,
];

impl Protection {
    /// Makes this process a subreaper and says, as a set of bits, which protections are there.
    pub(crate) fn take(launcher_watch: bool) -> u8 {
        let there = |protection: &Protection| match protection {
            Self::Session => true,
            Self::Subreaper => prctl::set_child_subreaper(true).is_ok(),
            Self::DeathSignal => prctl::set_pdeathsig(None).is_ok(),
            Self::LauncherWatch => launcher_watch,
            Self::ProcessList => std::fs::exists("/proc/1/stat").unwrap_or(false),
        };
        ALL.iter().filter(|p| there(p)).fold(0, |bits, p| bits | p.bit())
    }

    /// The protections in a set of bits.
    pub(crate) fn from_bits(bits: u8) -> Vec<Self> {
        ALL.into_iter().filter(|p| bits & p.bit() != 0).collect()
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session",
            Self::Subreaper => "subreaper",
            Self::DeathSignal => "death_signal",
            Self::LauncherWatch => "launcher_watch",
            Self::ProcessList => "process_list",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_back() {
        let bits = Protection::Subreaper.bit() | Protection::ProcessList.bit();
        assert_eq!(Protection::from_bits(bits), [Protection::Subreaper, Protection::ProcessList]);
    }
}
