//! What an earlier attempt left in a results dir: moved out of the way, never destroyed.

use std::{io, path::Path};

use rustix::{
    fd::OwnedFd,
    fs::{self, Mode, OFlags},
    io::Errno,
};

use crate::{ClaimError, Record, ResultsDir, Submitted, names};

/// Moves what is there of these names into a new directory in `previous/`.
pub(crate) fn move_away(dir: &ResultsDir, names: &[&str]) -> Result<(), ClaimError> {
    let failed =
        |action, name| move |error| ClaimError::failed(&dir.path.join(name), action, error);
    let mut left = Vec::new();
    for &name in names {
        if dir.has(name).map_err(failed("look for", name))? {
            left.push(name);
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let previous =
        enter(dir, names::PREVIOUS).map_err(failed("create or open", names::PREVIOUS))?;
    let target = new_directory(&previous, &base_name(dir))
        .map_err(failed("create a directory in", names::PREVIOUS))?;
    for name in left {
        let moved = fs::renameat(&dir.file, name, &target, name).map_err(io::Error::from);
        moved.map_err(failed("move an earlier attempt's", name))?;
    }
    Ok(())
}

/// What the new directory's name starts with: the attempt that its record names, or the note of its
/// submission, or nothing.
fn base_name(dir: &ResultsDir) -> String {
    let attempt = Record::of(dir).map(|record| record.attempt);
    let attempt = attempt.or_else(|_| Submitted::of(dir).map(|submitted| submitted.attempt));
    attempt.map(|attempt| attempt.to_string()).unwrap_or_default()
}

/// Makes and opens a directory, which may be there but not be a symbolic link.
fn enter(dir: &ResultsDir, name: &str) -> io::Result<OwnedFd> {
    match fs::mkdirat(&dir.file, name, Mode::from(0o777)) {
        Ok(()) | Err(Errno::EXIST) => Ok(open_directory(&dir.file, name)?),
        Err(error) => Err(error.into()),
    }
}

/// Makes a directory that was not there before: `base`, or with a number `base-2`, `base-3` …; without
/// a base `1`, `2` ….
fn new_directory(parent: &OwnedFd, base: &str) -> io::Result<OwnedFd> {
    for number in 1_u32.. {
        let name = match (base, number) {
            ("", number) => number.to_string(),
            (base, 1) => base.to_owned(),
            (base, number) => format!("{base}-{number}"),
        };
        match fs::mkdirat(parent, &name, Mode::from(0o777)) {
            Ok(()) => return Ok(open_directory(parent, &name)?),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EXIST.into())
}

fn open_directory(
    at: impl rustix::fd::AsFd,
    name: impl AsRef<Path>,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(at, name.as_ref(), flags, Mode::empty())
}
