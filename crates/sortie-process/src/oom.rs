//! Whether the kernel's out-of-memory killer has been at work.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// More than `/proc/vmstat` has up to the line that matters.
const ENOUGH: usize = 16 << 10;

/// How many processes it has killed since the machine started, over all control groups: the line
/// `oom_kill` of `/proc/vmstat` (Linux 4.13 and later).
pub(crate) struct Kills(Option<File>);

impl Kills {
    /// Opens the file for good, as it is asked before every command.
    pub(crate) fn open() -> Self {
        Self(File::open("/proc/vmstat").ok())
    }

    /// The number; `None` where it cannot be read.
    pub(crate) fn count(&self) -> Option<u64> {
        let file = self.0.as_ref()?;
        let mut buffer = [0; ENOUGH];
        let mut filled = 0;
        // A read stops at a page, whatever it is asked for.
        loop {
            if let Some(count) = find(&buffer[..filled]) {
                return Some(count);
            }
            match file.read_at(&mut buffer[filled..], filled as u64).ok()? {
                0 => return None,
                read => filled += read,
            }
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
        let kills = Kills::open();
        // Twice, as the file stays open.
        assert!(kills.count().unwrap() >= expected.parse().unwrap());
        assert!(kills.count().unwrap() >= expected.parse().unwrap());
    }

    #[test]
    fn a_line_counts_only_when_it_is_whole() {
        assert_eq!(find(b"pgfree 1\noom_kill 12\nswap_ra 0\n"), Some(12));
        assert_eq!(find(b"pgfree 1\noom_kill 1"), None);
        assert_eq!(find(b"numa_oom_kill 1\n"), None);
        assert_eq!(find(b""), None);
    }
}
