//! Which files are near: on file systems of this machine alone, which answer at once. Those are looked at in place, which costs
//! a tenth of handing the call to another thread; all others beside the runtime.
//!
//! Whether a directory is near is found out once, beside the runtime too.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::statfs;

/// ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, and overlayfs: statfs(2).
const OF_THIS_MACHINE: [u32; 7] =
    [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630];
/// How many directories are remembered at once.
const MOST: usize = 256;

#[derive(Default)]
pub(crate) struct Near {
    /// Their true names, by those that were given; `None` for those that are not near.
    dirs: Mutex<HashMap<OsString, Option<Arc<Path>>>>,
}

impl Near {
    /// The true name of a directory that is known to be near.
    pub(crate) fn true_name(&self, dir: &Path) -> Option<Arc<Path>> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner).get(dir.as_os_str())?.clone()
    }

    /// Whether what has this path, if anything, is known to be near.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let parent = path.parent();
        parent.is_some_and(|dir| self.true_name(dir).is_some()) && !path.is_symlink()
    }

    /// Finds out about the directory that the path is in, if that is not known. May hang.
    pub(crate) fn learn(&self, path: &Path) {
        let Some(dir) = path.parent() else { return };
        let known = || self.dirs.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains_key(dir.as_os_str()) {
            return;
        }
        let true_name = dir.canonicalize().ok().filter(|_| is_near(dir));
        let mut dirs = known();
        if dirs.len() >= MOST {
            dirs.clear();
        }
        dirs.insert(dir.into(), true_name.map(Arc::from));
    }
}

/// Whether all that a path leads through is on file systems of this machine, as far as it is there. May hang.
pub(crate) fn is_near(path: &Path) -> bool {
    let leads_to = path.canonicalize().unwrap_or_default();
    path.ancestors().chain(leads_to.ancestors()).all(|path| match statfs(path) {
        // Of the kernel's names for its types, whose sign differs from machine to machine.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of 32 bits")]
        Ok(found) => OF_THIS_MACHINE.contains(&(found.f_type as u32)),
        Err(errno) => io::Error::from(errno).kind() == io::ErrorKind::NotFound,
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
        near.learn(&other.join("results"));
        assert_eq!(near.true_name(&other).as_deref(), Some(&*real.canonicalize().unwrap()));
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
