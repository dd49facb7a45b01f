//! Why a file of a results dir cannot be used, and whose fault an operating system's error is.

use std::io;
use std::path::Path;

use rustix::io::Errno;
use thiserror::Error;

use crate::{Fault, ParseError};

/// Why a file in a results dir cannot be used. As text, to be read after the file's name.
#[derive(Debug, Error)]
pub enum Unusable {
    /// There is nothing of that name.
    #[error("is missing")]
    Missing,
    /// There is something else in its place. It was not followed, waited for or read.
    #[error("is {0}, not a regular file")]
    NotRegular(&'static str),
    /// It has further names, so that it may be a file from elsewhere.
    #[error("is a hard link, not a file of its own")]
    Linked,
    /// The directory that it should be in is not there.
    #[error("is missing: the results dir {0}")]
    NoDirectory(&'static str),
    /// It holds more than is read, see [`ReadLimits`](crate::ReadLimits).
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// What may be read, in bytes.
        limit: u64,
    },
    /// The operating system would not let it be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It does not hold JSON.
    #[error("is not JSON: {0}")]
    Broken(ParseError),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Unusable {
    /// Whose fault that is: the candidate's, unless the machine could not read the file.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreadable(error) if fault_of(error) == Fault::Infrastructure => {
                Fault::Infrastructure
            }
            _ => Fault::Candidate,
        }
    }

    /// The same of another file in the same place.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::NoDirectory(why) => Self::NoDirectory(why),
            Self::Unreadable(error) => Self::Unreadable(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => error.kind().into(),
            }),
            _ => Self::Missing,
        }
    }

    /// In words, with the file's name.
    pub(crate) fn in_file(&self, file: &str) -> String {
        match self {
            Self::Broken(error) => format!("{file}: {error}"),
            _ => format!("{file} {self}"),
        }
    }
}

/// What cannot be done with a directory, in words. Where a file stands in its place, or on the way to it, that is said.
pub(crate) fn in_dir(action: &str, path: &Path, error: &io::Error) -> String {
    let is_file = |path: &&Path| path.metadata().is_ok_and(|found| !found.is_dir());
    match path.ancestors().find(is_file) {
        Some(file) if error.kind() == io::ErrorKind::NotADirectory => {
            let why = format!("{} is a file, not a directory", file.display());
            if file == path { why } else { format!("cannot {action} {}: {why}", path.display()) }
        }
        _ => format!("cannot {action} {}: {error}", path.display()),
    }
}

/// Whose fault it is that something could not be done in a results dir: set-up, if another path or
/// other rights would mend it; otherwise the machine's, which ran out of something or broke.
pub(crate) fn fault_of(error: &io::Error) -> Fault {
    match Errno::from_io_error(error) {
        Some(
            Errno::ACCESS
            | Errno::PERM
            | Errno::ROFS
            | Errno::NOENT
            | Errno::EXIST
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::NOTEMPTY
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::BUSY
            | Errno::XDEV
            | Errno::INVAL,
        ) => Fault::Setup,
        _ => Fault::Infrastructure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_can_mend_is_setup() {
        let fault = |errno: Errno| fault_of(&errno.into());
        for errno in [Errno::ACCESS, Errno::ROFS, Errno::NOTDIR, Errno::NAMETOOLONG] {
            assert_eq!(fault(errno), Fault::Setup, "{errno}");
        }
        for errno in
            [Errno::NOSPC, Errno::DQUOT, Errno::IO, Errno::STALE, Errno::MFILE, Errno::NFILE]
        {
            assert_eq!(fault(errno), Fault::Infrastructure, "{errno}");
        }
    }
}
