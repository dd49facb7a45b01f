//! Which files are near: on file systems of this machine alone, which answer at once. Those are looked at in place, which costs
//! a tenth of handing the call to another thread; all others beside the runtime.
//!
//! Whether a directory is near is found out once, beside the runtime too.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, StatxFlags, makedev, statfs, statx};
use rustix::io::Errno;

/// ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, and overlayfs: statfs(2).
const OF_THIS_MACHINE: [u32; 7] =
    [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630];
/// How many directories are remembered at once.
const MOST: usize = 256;

#[derive(Default)]
pub(crate) struct Near {
    /// Those that are known, by the names that were given; `None` for those that are not near.
    dirs: Mutex<HashMap<OsString, Option<Dir>>>,
}

/// A directory that is near.
#[derive(Clone)]
struct Dir {
    true_name: Arc<Path>,
    mount: u64,
}

impl Near {
    /// The true name of what has this path, if anything, should it be known to be near: in a directory that is, and neither a
    /// symbolic link nor mounted there.
    pub(crate) fn true_name(&self, path: &Path) -> Option<PathBuf> {
        let (dir, name) = self.look_up(path)?;
        Some(dir.true_name.join(name))
    }

    /// The directory of what is near, and its name there.
    fn look_up<'a>(&self, path: &'a Path) -> Option<(Dir, &'a OsStr)> {
        let (parent, name) = (path.parent()?, path.file_name()?);
        let dir = self.known().get(parent.as_os_str())?.clone()?;
        match look_at(path) {
            Ok(found) if found.is_symlink || found.mount != dir.mount => None,
            Ok(_) | Err(Errno::NOENT) => Some((dir, name)),
            Err(_) => None,
        }
    }

    /// Whether what has this path, if anything, is known to be near.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.look_up(path).is_some()
    }

    /// Finds out about the directory that the path is in, if that is not known. May hang.
    pub(crate) fn learn(&self, path: &Path) {
        let Some(parent) = path.parent() else { return };
        if self.known().contains_key(parent.as_os_str()) {
            return;
        }
        let find = || {
            let true_name = parent.canonicalize().ok().filter(|_| is_near(parent))?;
            let mount = look_at(&true_name).ok()?.mount;
            Some(Dir { true_name: true_name.into(), mount })
        };
        let dir = find();
        let mut dirs = self.known();
        if dirs.len() >= MOST {
            dirs.clear();
        }
        dirs.insert(parent.into(), dir);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<OsString, Option<Dir>>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is seen of a path without asking a file system that is mounted there.
struct Seen {
    is_symlink: bool,
    /// The number of its mount, or of its device before Linux 5.8.
    mount: u64,
}

fn look_at(path: &Path) -> Result<Seen, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    let found = statx(CWD, path, flags, StatxFlags::TYPE | StatxFlags::MNT_ID)?;
    let has_number = found.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    let device = makedev(found.stx_dev_major, found.stx_dev_minor);
    let is_symlink = FileType::from_raw_mode(found.stx_mode.into()) == FileType::Symlink;
    Ok(Seen { is_symlink, mount: if has_number { found.stx_mnt_id } else { device } })
}

/// Whether all that a path leads through is on file systems of this machine, as far as it is there. May hang.
pub(crate) fn is_near(path: &Path) -> bool {
    let leads_to = path.canonicalize().unwrap_or_default();
    path.ancestors().chain(leads_to.ancestors()).all(|path| match statfs(path) {
        // Of the kernel's names for its types, whose sign differs from machine to machine.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of 32 bits")]
        Ok(found) => OF_THIS_MACHINE.contains(&(found.f_type as u32)),
        Err(errno) => errno == Errno::NOENT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_is_known_and_leads_nowhere_else_is_near() {
        let dir = tempfile::tempdir().unwrap();
        let near = Near::default();
        let path = dir.path().join("results");
        assert!(!near.has(&path));
        near.learn(&path);
        assert!(near.has(&path));
        symlink("/proc", &path).unwrap();
        assert!(!near.has(&path));
        let through = path.join("self");
        near.learn(&through);
        assert!(!near.has(&through) && !is_near(&through));
        let (real, other) = (dir.path().join("real"), dir.path().join("other"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &other).unwrap();
        let inside = other.join("results");
        near.learn(&inside);
        assert_eq!(near.true_name(&inside), Some(real.canonicalize().unwrap().join("results")));
    }

    #[test]
    fn what_is_mounted_in_a_directory_that_is_near_is_not() {
        let near = Near::default();
        near.learn("/proc".as_ref());
        assert!(near.has("/sortie-is-not-here".as_ref()));
        assert!(!near.has("/proc".as_ref()));
    }

    #[test]
    fn kernel_file_systems_are_not_near_and_what_is_missing_may_be() {
        assert!(!is_near("/proc/self/stat".as_ref()) && !is_near("/sys".as_ref()));
        assert!(is_near(&std::env::temp_dir().join("sortie is not here")));
    }

    #[test]
    fn so_many_directories_are_remembered() {
        let near = Near::default();
        for number in 0..3 * MOST {
            near.learn(format!("/tmp/{number}/results").as_ref());
        }
        assert!(near.dirs.lock().unwrap().len() <= MOST);
    }
}
