//! Whether the kernel's out-of-memory killer has been at work.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// More than `/proc/vmstat` has up to the line that matters.
const ENOUGH: usize = 16 << 10;
/// How old the number from before a command may be: reading it costs a fifth of what else a reaper
/// does for a command, and a kill anywhere on the machine counts as it is.
const FRESH: Duration = Duration::from_millis(250);

/// How many processes it has killed since the machine started, over all control groups: the line
/// `oom_kill` of `/proc/vmstat` (Linux 4.13 and later).
pub(crate) struct Kills {
    /// The open file; `None` if it cannot be opened.
    counters: Option<File>,
    /// What was read last, and when.
    last: Option<(Instant, Option<u64>)>,
}

impl Kills {
    pub(crate) fn open() -> Self {
        Self { counters: File::open("/proc/vmstat").ok(), last: None }
    }

    /// The number now; `None` where it cannot be read.
    pub(crate) fn now(&mut self) -> Option<u64> {
        let count = self.counters.as_ref().and_then(read);
        self.last = Some((Instant::now(), count));
        count
    }

    /// The number now, or a moment ago.
    pub(crate) fn lately(&mut self) -> Option<u64> {
        match self.last {
            Some((when, count)) if when.elapsed() < FRESH => count,
            _ => self.now(),
        }
    }
}

fn read(counters: &File) -> Option<u64> {
    let mut buffer = [0; ENOUGH];
    let mut filled = 0;
    // A read stops at a page, whatever it is asked for.
    loop {
        match counters.read_at(&mut buffer[filled..], filled as u64).ok()? {
            0 => return None,
            read => filled += read,
        }
        if let Some(count) = find(&buffer[..filled]) {
            return Some(count);
        }
    }
}

/// The number in the line, if all of that is there.
fn find(counters: &[u8]) -> Option<u64> {
    let lines = counters.split_inclusive(|byte| *byte == b'\n');
    let line = lines.rev().find_map(|line| line.strip_prefix(b"oom_kill "))?;
    str::from_utf8(line.strip_suffix(b"\n")?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_counts() {
        let counters = std::fs::read_to_string("/proc/vmstat").unwrap();
        let expected = counters.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap();
        let mut kills = Kills::open();
        let first = kills.lately().unwrap();
        assert!(first >= expected.parse().unwrap());
        // Again, as the file stays open.
        assert!(kills.now().unwrap() >= first);
    }

    #[test]
    fn a_line_counts_only_when_it_is_whole() {
        assert_eq!(find(b"pgfree 1\noom_kill 12\nswap_ra 0\n"), Some(12));
        assert_eq!(find(b"pgfree 1\noom_kill 1"), None);
        assert_eq!(find(b"numa_oom_kill 1\n"), None);
        assert_eq!(find(b""), None);
    }
}
