//! An open directory, and the operations on what is in it.
//!
//! Everything goes through the directory's file descriptor and follows no symbolic link: an evaluator,
//! or the candidate in it, may have put anything under any name.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::fd::AsRawFd,
    path::{Component, Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::Errno,
};

use crate::{AttemptId, LogTail, Unusable};

/// As far as the umask lets them.
const FOR_ALL: Mode = Mode::from_bits_retain(0o666);

/// The directories of a job, by the path of the one that its evaluator writes to.
#[derive(Debug)]
pub enum ResultsDir {}

impl ResultsDir {
    /// The end of a file in a directory, at most so many bytes; nothing where it is not to be read.
    pub fn tail_of(path: &Path, name: &str, limit: u64) -> LogTail {
        Dir::open(path).map(|dir| dir.tail(name, limit)).unwrap_or_default()
    }
}

/// An open directory: a results dir, or the launcher's own beside it.
#[derive(Debug)]
pub(crate) struct Dir {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Dir {
    /// Opens a directory that exists.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::empty())
    }

    /// The same of one that is not a symbolic link.
    pub(crate) fn open_real(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::NOFOLLOW)
    }

    /// Opens a directory by its one true path, if this is that: absolute, and without symbolic links. In one call, where the
    /// kernel has `openat2(2)`; else, and for any other path, there is no answer.
    pub(crate) fn open_true(path: &Path) -> Option<Self> {
        let mut parts = path.components();
        let is_plain = parts.next() == Some(Component::RootDir)
            && parts.all(|part| matches!(part, Component::Normal(_)));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).ok();
        let file = File::from(is_plain.then(open)??);
        Some(Self { file, path: path.components().collect() })
    }

    fn open_with(path: &Path, more: OFlags) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
        let file = File::from(fs::open(path, flags, Mode::empty())?);
        Ok(Self { file, path: path.to_owned() })
    }

    /// Opens a directory in this one, which is not a symbolic link.
    pub(crate) fn open_in(&self, name: &str) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(fs::openat(&self.file, name, flags, Mode::empty())?);
        Ok(Self { file, path: self.path.join(name) })
    }

    /// Whether there is anything of that name, be it a symbolic link that leads nowhere.
    pub(crate) fn has(&self, name: &str) -> io::Result<bool> {
        match fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a file that must not be there yet.
    pub(crate) fn create(&self, name: impl AsRef<OsStr>, access: OFlags) -> io::Result<File> {
        self.create_with(name, access, FOR_ALL)
    }

    fn create_with(&self, name: impl AsRef<OsStr>, access: OFlags, mode: Mode) -> io::Result<File> {
        let flags = access | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(fs::openat(&self.file, name.as_ref(), flags, mode)?))
    }

    /// Opens a file for reading, if it is a regular one; with its size in bytes.
    pub(crate) fn open_regular(&self, name: &str) -> Result<(File, u64), Unusable> {
        self.open_plain(name).map(|(file, stat)| (file, stat.st_size.unsigned_abs()))
    }

    /// The same with all that is known of it.
    pub(crate) fn open_plain(&self, name: &str) -> Result<(File, Stat), Unusable> {
        // NONBLOCK: or opening a FIFO would wait for somebody to write to it.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            fs::openat(&self.file, name, flags, Mode::empty()).map_err(|error| match error {
                Errno::NOENT => Unusable::Missing,
                Errno::LOOP => Unusable::NotRegular("a symbolic link"),
                Errno::NXIO => Unusable::NotRegular("a socket or a device"),
                _ => Unusable::Unreadable(error.into()),
            })?;
        let stat = fs::fstat(&file).map_err(io::Error::from)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((File::from(file), stat)),
            FileType::Directory => Err(Unusable::NotRegular("a directory")),
            FileType::Fifo => Err(Unusable::NotRegular("a FIFO")),
            _ => Err(Unusable::NotRegular("a device")),
        }
    }

    /// Reads a regular file, of at most `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        let (file, size) = self.open_regular(name)?;
        read_whole(&file, size, limit)
    }

    /// Opens for reading what an evaluator has written under a name: a regular file that has no other name. One of ours
    /// that may not be read by anybody is made readable for its owner.
    pub(crate) fn open_written(&self, name: &str) -> Result<(File, u64), Unusable> {
        let opened = match self.open_plain(name) {
            Err(Unusable::Unreadable(error))
                if error.kind() == io::ErrorKind::PermissionDenied && self.unlock(name).is_ok() =>
            {
                self.open_plain(name)
            }
            opened => opened,
        };
        let (file, stat) = opened?;
        match stat.st_nlink {
            0 | 1 => Ok((file, stat.st_size.unsigned_abs())),
            _ => Err(Unusable::Linked),
        }
    }

    /// Lets the owner of a regular file with this one name read it.
    fn unlock(&self, name: &str) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&self.file, name, flags, Mode::empty())?;
        let stat = fs::fstat(&file)?;
        let is_plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !is_plain || stat.st_nlink > 1 {
            return Err(Errno::ACCESS.into());
        }
        chmod(&file, Mode::from_raw_mode(stat.st_mode) | Mode::RUSR)
    }

    /// Reads what an evaluator has written under a name, at most `limit` bytes.
    pub(crate) fn read_written(&self, name: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        let (file, size) = self.open_written(name)?;
        read_whole(&file, size, limit)
    }

    /// Puts a file with this content in the place of what has that name, whole or not at all.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.replace_with(name, content, FOR_ALL)
    }

    /// The same with a file that only its owner may read.
    pub(crate) fn replace_private(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.replace_with(name, content, Mode::from(0o600))
    }

    fn replace_with(&self, name: &str, content: &[u8], mode: Mode) -> io::Result<()> {
        use io::Write as _;
        let temporary = temporary(name);
        let mut file = self.create_with(&temporary, OFlags::WRONLY, mode)?;
        let written = file.write_all(content).and_then(|()| {
            let renamed = fs::renameat(&self.file, &temporary, &self.file, name);
            renamed.map_err(io::Error::from)
        });
        if written.is_err() {
            // What is left of it could be in the way, but is not what went wrong.
            let _ = fs::unlinkat(&self.file, &temporary, AtFlags::empty());
        }
        written
    }

    /// Whether not even a page can be written to a new file here.
    ///
    /// Where the file system's own figures do not say so, a file without a name is tried: a quota
    /// does not show otherwise.
    pub(crate) fn is_full(&self) -> bool {
        let full = |figures: fs::StatVfs| {
            let blocks = figures.f_blocks > 0 && figures.f_bavail == 0;
            blocks || figures.f_files > 0 && figures.f_favail == 0
        };
        fs::fstatvfs(&self.file).is_ok_and(full)
            || matches!(self.try_page(), Err(Errno::NOSPC | Errno::DQUOT))
    }

    fn try_page(&self) -> rustix::io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = fs::openat(&self.file, ".", flags, Mode::from(0o600))?;
        rustix::io::write(file, &[0; 4096]).map(drop)
    }

    /// Both result files, as an evaluator has left them.
    pub(crate) fn find(&self, limit: u64) -> crate::Found {
        crate::Found::by(|name| self.read_written(name, limit))
    }

    /// The same once they were judged: a file may have got further names since.
    pub(crate) fn find_again(&self, limit: u64) -> crate::Found {
        crate::Found::by(|name| self.read(name, limit))
    }
}

/// Changes the mode of an open file, be it one of `O_PATH` alone.
pub(crate) fn chmod(file: &impl AsRawFd, mode: Mode) -> io::Result<()> {
    Ok(fs::chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), mode)?)
}

/// Reads a file of that size, of at most `limit` bytes.
pub(crate) fn read_whole(mut file: &File, size: u64, limit: u64) -> Result<Vec<u8>, Unusable> {
    let too_large = || Err(Unusable::TooLarge { limit });
    let Ok(expected) = usize::try_from(size) else { return too_large() };
    if size > limit {
        return too_large();
    }
    // Room for one byte more shows whether there is more, should the file have grown meanwhile.
    let (mut bytes, mut filled) = (vec![0; expected + 1], 0);
    while filled < expected.max(1) {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(filled);
    if filled > expected {
        file.take((limit + 1).saturating_sub(filled as u64)).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > limit { too_large() } else { Ok(bytes) }
}

/// A name that nobody else uses, for a file that gets this one once it is whole.
fn temporary(name: &str) -> String {
    static PROCESS: OnceLock<AttemptId> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(AttemptId::generate);
    format!(".{name}.{process}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write as _, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_a_true_path_is_opened_as_one() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a", root.join("link")).unwrap();
        let opened = Dir::open_true(&root.join("a/./b/"));
        // Nothing is opened so where the kernel has no `openat2`.
        assert!(opened.is_none_or(|dir| dir.path == root.join("a/b")));
        for other in ["link", "link/b", "a/../a", "none"] {
            assert!(Dir::open_true(&root.join(other)).is_none(), "{other}");
        }
        assert!(Dir::open_true(Path::new(".")).is_none());
    }

    #[test]
    fn a_file_that_grows_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        File::create(&path).unwrap().write_all(b"0123456789").unwrap();
        let read = |size, limit| read_whole(&File::open(&path).unwrap(), size, limit);
        assert_eq!(read(10, 10).unwrap(), b"0123456789");
        assert_eq!(read(0, 100).unwrap(), b"0123456789");
        assert_eq!(read(4, 10).unwrap(), b"0123456789");
        assert!(matches!(read(4, 9), Err(Unusable::TooLarge { limit: 9 })));
        assert!(matches!(read(10, 9), Err(Unusable::TooLarge { limit: 9 })));
        // It was cut short meanwhile.
        assert_eq!(read(20, 100).unwrap(), b"0123456789");
    }
}
