//! How a program that uses this crate comes to serve as its own warden.
//!
//! The warden has to be a small process with one thread, and a library has no program of its own to
//! start. So the host's program is started once more, with a variable that says what for, and
//! [`enter`], which runs before `main`, takes it from there. `main` is never reached.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::getppid;

use crate::{sys, warden};

/// Says that this program was started to be the warden of the process with that id.
pub(crate) const VARIABLE: &str = "SORTIE_WARDEN_OF";

static ENTERED: AtomicBool = AtomicBool::new(false);

/// Serves as a warden, if that is what this program was started for.
pub(crate) fn enter() {
    ENTERED.store(true, Ordering::Relaxed);
    let launcher = env::var(VARIABLE).ok().and_then(|pid| pid.parse::<i32>().ok());
    if launcher.is_some_and(|pid| pid == getppid().as_raw()) {
        warden::run();
        sys::leave(0);
    }
}

/// Whether starting this program again leads to [`enter`]: not so where this crate is part of a
/// shared library that another program (say, Python) has loaded.
pub(crate) fn is_in_this_program() -> bool {
    let inside = || {
        let program = fs::metadata("/proc/self/exe").ok()?;
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        let address = enter as *const () as usize;
        let line = maps.lines().find(|line| holds(line, address).unwrap_or(false))?;
        // address-range permissions offset device inode path, proc_pid_maps(5)
        let inode: u64 = line.split_whitespace().nth(4)?.parse().ok()?;
        Some(inode == program.ino())
    };
    ENTERED.load(Ordering::Relaxed) && inside().unwrap_or(false)
}

fn holds(line: &str, address: usize) -> Option<bool> {
    let (from, to) = line.split_once(' ')?.0.split_once('-')?;
    let from = usize::from_str_radix(from, 16).ok()?;
    let to = usize::from_str_radix(to, 16).ok()?;
    Some((from..to).contains(&address))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_test_program_can_be_its_own_warden() {
        assert!(super::is_in_this_program());
    }
}
