//! When a process ended whose end was seen late, as whoever waits for it was stopped (SIGSTOP) meanwhile.
//!
//! The kernel tells no one when a process ended. Until its parent has taken note it keeps, in `/proc/PID/sched`, when the
//! process last ran (`se.exec_start`), on the clock of the processor that it ran on; the same for a process that runs
//! there now tells how long ago that was, within a few milliseconds. Clocks of two processors differ by what each has spent
//! on interrupts since the machine was started, so that this process goes to that processor for a moment. The file is there
//! on kernels with `CONFIG_SCHED_DEBUG`, as those of all common distributions.
//!
//! Time for which the whole machine was suspended does not count: nor does it in [`Instant`], on Linux.

use std::fs;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity, sched_yield};
use nix::unistd::Pid;

use crate::tree;

/// When a process ended that has ended, and whose parent has not taken note; `None` if that cannot be known.
pub(crate) fn ended_at(pid: Pid) -> Option<Instant> {
    let last_ran = last_ran(&pid.to_string())?;
    let now = on_processor(tree::last_processor(pid)?, last_ran_here)??;
    Instant::now().checked_sub(now.checked_sub(last_ran)?)
}

fn last_ran_here() -> Option<Duration> {
    last_ran("thread-self")
}

/// When the process last ran, on the clock of its processor.
fn last_ran(pid: &str) -> Option<Duration> {
    exec_start(&fs::read_to_string(format!("/proc/{pid}/sched")).ok()?)
}

/// Reads `se.exec_start : MILLISECONDS.NANOSECONDS`.
fn exec_start(sched: &str) -> Option<Duration> {
    let line = sched.lines().find_map(|line| line.strip_prefix("se.exec_start"))?;
    let milliseconds: f64 = line.trim_start().strip_prefix(':')?.trim().parse().ok()?;
    Duration::try_from_secs_f64(milliseconds / 1e3).ok()
}

/// Does something on that processor, if this process may run there.
fn on_processor<T>(number: usize, work: impl FnOnce() -> T) -> Option<T> {
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this).ok()?;
    let mut there = CpuSet::new();
    there.set(number).ok()?;
    sched_setaffinity(this, &there).ok()?;
    // Has the kernel note that this process runs now.
    let done = sched_yield().ok().map(|()| work());
    sched_setaffinity(this, &before).ok()?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read() {
        let sched = "cat (15115, #threads: 1)\n---\nse.exec_start    :       1736406.191308\nse.vruntime : 1.0\n";
        assert_eq!(exec_start(sched), Some(Duration::from_nanos(1_736_406_191_308)));
        assert_eq!(exec_start("no such line"), None);
    }

    #[test]
    fn the_end_of_a_process_is_known_long_after() {
        #[expect(clippy::disallowed_methods, reason = "a process of the test")]
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        while !tree::is_over(pid) {
            std::thread::yield_now();
        }
        let seen = Instant::now();
        std::thread::sleep(Duration::from_millis(1500));
        let ended = ended_at(pid).unwrap();
        assert!(ended < seen + Duration::from_millis(500), "{:?}", ended - seen);
        child.wait().unwrap();
    }
}
