//! Whether the kernel's out-of-memory killer has been at work.

use std::fs;

/// How many processes it has killed since the machine started, over all control groups: the line
/// `oom_kill` of `/proc/vmstat` (Linux 4.13 and later). `None` where that cannot be read.
pub(crate) fn kills() -> Option<u64> {
    let counters = fs::read_to_string("/proc/vmstat").ok()?;
    let line = counters.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}
