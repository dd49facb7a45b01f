//! An open results dir, and the operations on what is in it.
//!
//! Everything goes through the directory's file descriptor and follows no symbolic link: an evaluator,
//! or the candidate in it, may have put anything under any name.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

use crate::{LogTail, Unusable, Value, names};

/// As far as the umask lets them.
const FOR_ALL: Mode = Mode::from_bits_retain(0o666);

/// The directory one attempt's logs and results land in.
#[derive(Debug)]
pub struct ResultsDir {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl ResultsDir {
    /// Opens a directory that exists.
    /// The end of a file in a results dir, at most so many bytes; nothing where it is not to be read.
    pub fn tail_of(path: &Path, name: &str, limit: u64) -> LogTail {
        Self::open(path).map(|dir| dir.tail(name, limit)).unwrap_or_default()
    }

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let file = File::from(fs::open(path, flags, Mode::empty())?);
        Ok(Self { file, path: path.to_owned() })
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
            FileType::RegularFile => Ok((File::from(file), stat.st_size.unsigned_abs())),
            FileType::Directory => Err(Unusable::NotRegular("a directory")),
            FileType::Fifo => Err(Unusable::NotRegular("a FIFO")),
            _ => Err(Unusable::NotRegular("a device")),
        }
    }

    /// Reads a regular file, of at most `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        let (file, size) = self.open_regular(name)?;
        let mut bytes = Vec::new();
        if size <= limit {
            // Room for one byte more, so that the end is seen without growing it first.
            bytes.reserve(usize::try_from(size).map_or(0, |size| size + 1));
            // One byte more shows that there is more, should the file grow meanwhile.
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        }
        if size.max(bytes.len() as u64) > limit {
            return Err(Unusable::TooLarge { limit });
        }
        Ok(bytes)
    }

    /// Reads a regular file of JSON, of at most `limit` bytes.
    pub(crate) fn read_json(&self, name: &str, limit: u64) -> Result<Value, Unusable> {
        Value::parse(&self.read(name, limit)?).map_err(Unusable::Broken)
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
        let temporary = format!(".{name}.{}", crate::AttemptId::generate());
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

    /// Both result files, as they are now.
    pub(crate) fn find(&self, limit: u64) -> crate::Found {
        crate::Found {
            correct: self.read_json(names::CORRECT, limit),
            metrics: self.read_json(names::METRICS, limit),
        }
    }
}
