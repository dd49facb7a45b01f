//! How a program that uses this crate comes to serve as its own spawn server.
//!
//! The spawn server has to be a small process with one thread, and a library has no program of its own to
//! start. So the host's program is started once more, with a variable that says what for, and
//! [`enter`], which runs before `main`, takes it from there. `main` is never reached.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::getppid;

use crate::{spawn_server, sys};

/// Says that this program was started to be the spawn server of the process with that id.
pub(crate) const VARIABLE: &str = "SORTIE_WARDEN_OF";

static ENTERED: AtomicBool = AtomicBool::new(false);

/// Serves as a spawn server, if that is what this program was started for.
pub(crate) fn enter() {
    ENTERED.store(true, Ordering::Relaxed);
    let launcher = env::var(VARIABLE).ok().and_then(|pid| pid.parse::<i32>().ok());
    if launcher.is_some_and(|pid| pid == getppid().as_raw()) {
        spawn_server::run();
        sys::leave(0);
    }
}

/// Whether starting this program again leads to [`enter`]: not so where this crate is part of a
/// shared library that another program (say, Python) has loaded. An error where there is no `/proc`.
pub(crate) fn is_in_this_program() -> io::Result<bool> {
    const PROGRAM: &str = "/proc/self/exe";
    let (inode, path) = (fs::metadata(PROGRAM)?.ino(), fs::read_link(PROGRAM)?);
    let maps = fs::read_to_string("/proc/self/maps")?;
    let address = enter as *const () as usize;
    let mapped = maps.lines().any(|line| maps_program(line, address, inode, &path));
    Ok(ENTERED.load(Ordering::Relaxed) && mapped)
}

/// Whether a line of `proc_pid_maps(5)` says that the program is mapped at an address. On overlayfs, older
/// kernels show there the inode of the file below, which is not always that of the program; its path is.
fn maps_program(line: &str, address: usize, inode: u64, path: &Path) -> bool {
    let holds = || {
        // address-range permissions offset device inode path
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let from = usize::from_str_radix(from, 16).ok()?;
        let to = usize::from_str_radix(to, 16).ok()?;
        Some((from..to).contains(&address))
    };
    let mut rest = line.splitn(6, ' ').skip(4);
    let same_inode = rest.next().and_then(|field| field.parse().ok()) == Some(inode);
    let same_path = rest.next().is_some_and(|mapped| Path::new(mapped.trim_start()) == path);
    holds().unwrap_or(false) && (same_inode || same_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_program_can_be_its_own_spawn_server() {
        assert!(is_in_this_program().unwrap());
    }

    #[test]
    fn a_program_is_known_by_its_inode_or_its_path() {
        let line = "55d0a000-55d0b000 r-xp 00001000 fe:00 42                 /usr/bin/a b";
        let is = |address, inode, path: &str| maps_program(line, address, inode, path.as_ref());
        assert!(is(0x55d0_a000, 42, "/moved"));
        assert!(is(0x55d0_afff, 7, "/usr/bin/a b"));
        assert!(!is(0x55d0_a000, 7, "/usr/bin/a"));
        assert!(!is(0x55d0_b000, 42, "/usr/bin/a b"));
    }
}
