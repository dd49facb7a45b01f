//! What a sweep asks of the file system when it writes: the seam at which tests let it fail.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// Changes files. Each call is one at which a launcher may be killed, a disk be full, or the power fail; a sweep can be
/// resumed after any of them.
pub trait Disk: Send + Sync {
    /// Creates an empty file, or empties it.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all of it at the end of a file that was opened for appending.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file to that length, in bytes.
    fn truncate(&self, file: &File, len: u64) -> io::Result<()>;
    /// Returns once what the file holds would survive a loss of power (`fdatasync(2)`).
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Puts a file in the place of another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a directory; that it is there already is no error.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Fails if there is no space for some files more in the directory: for 64 KiB, since what others remove makes room
    /// for a moment.
    fn has_room(&self, dir: &Path) -> io::Result<()>;
    /// Returns once the names in a directory would survive a loss of power.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// What there has to be room for, in bytes.
const ROOM: usize = 1 << 16;

/// The file system itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().append(true).create(true).open(path).and_then(|file| {
            file.set_len(0)?;
            Ok(file)
        })
    }

    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    fn has_room(&self, dir: &Path) -> io::Result<()> {
        // A file without a name, as a quota shows no otherwise; where there are no such files, there is no telling.
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        match openat(CWD, dir, flags, Mode::from(0o600)) {
            Ok(file) => File::from(file).write_all(&vec![0; ROOM]),
            Err(Errno::NOSPC) => Err(Errno::NOSPC.into()),
            Err(Errno::DQUOT) => Err(Errno::DQUOT.into()),
            Err(_) => Ok(()),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Some file systems know no such thing of a directory (fsync(2), EINVAL).
        match File::open(path)?.sync_all() {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }
}
