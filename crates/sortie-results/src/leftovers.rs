//! What an earlier attempt left: moved out of the way, never destroyed.

use std::{fs::TryLockError, io, os::unix::fs::MetadataExt as _, path::Path};

use rustix::{
    fd::OwnedFd,
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
};

use crate::{
    ClaimError, Consent, InUse, Record, RecordError, Submitted,
    dir::Dir,
    names::{self, NEW, Names, OF_RESULTS, OLD},
};

/// What an attempt leaves in the launcher's directory, in the order in which it is moved away: as in a results dir.
const OF_STATE: [&str; 6] =
    [NEW.submitted, names::RECORD, names::SCRIPT, names::JOB_START, names::JOB_END, names::AT_END];

/// Fails if an attempt that was handed to a cluster may still be under way: its note is there, and no record.
pub(crate) fn none_submitted(
    results_dir: &Path,
    state: &Dir,
    consent: Consent,
) -> Result<(), ClaimError> {
    match submitted(results_dir, state, &NEW) {
        Err(ClaimError::Unreadable { .. }) if consent == Consent::TakeOver => Ok(()),
        found => found,
    }
}

/// Fails if an attempt of an earlier sortie is under way in a results dir: such a one keeps its note there, and a lock on
/// the directory while it runs.
pub(crate) fn none_of_earlier_sortie(results: &Dir) -> Result<(), ClaimError> {
    match submitted(&results.path, results, &OLD) {
        // An evaluator may have written it.
        Err(ClaimError::Unreadable { cause, .. })
            if !matches!(*cause, RecordError::Version { .. }) => {}
        found => found?,
    }
    match results.file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(ClaimError::InUse(InUse { path: results.path.clone(), owner: None, certain: true }))
        }
        Ok(()) => {
            let failed = |error| ClaimError::failed(&results.path, "unlock", error);
            results.file.unlock().map_err(failed)
        }
        Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn submitted(results_dir: &Path, dir: &Dir, names: &Names) -> Result<(), ClaimError> {
    let failed = |error| ClaimError::failed(&dir.path, "look into", error);
    let has = |name| dir.has(name).map_err(failed);
    if !has(names.submitted)? || has(names::RECORD)? {
        return Ok(());
    }
    let path = results_dir.to_owned();
    match Submitted::of(dir, names) {
        Ok(Submitted { attempt, job_name, .. }) => {
            let note = dir.path.join(names.submitted);
            Err(ClaimError::Submitted { path, attempt, job_name, note })
        }
        Err(cause) => Err(ClaimError::Unreadable { path, cause: Box::new(cause) }),
    }
}

/// Moves what an earlier attempt left in either directory into a new one in `previous/`.
pub(crate) fn move_away(results: &Dir, state: &Dir) -> Result<(), ClaimError> {
    let there = |dir: &Dir, names: &[&'static str]| {
        let mut left = Vec::new();
        for &name in names {
            let failed = |error| ClaimError::failed(&dir.path.join(name), "look for", error);
            if dir.has(name).map_err(failed)? {
                left.push(name);
            }
        }
        Ok::<_, ClaimError>(left)
    };
    let (of_results, of_state) = (there(results, &OF_RESULTS)?, there(state, &OF_STATE)?);
    if of_results.is_empty() && of_state.is_empty() {
        return Ok(());
    }
    let target = new_previous(results, &base_name(results, state))?;
    let failed = |dir: &Dir, name| {
        let path = dir.path.join(name);
        move |error| ClaimError::failed(&path, "move an earlier attempt's", error)
    };
    for name in of_state {
        // There it is as in a results dir of an earlier sortie, with all in one.
        let new = if name == NEW.submitted { OLD.submitted } else { name };
        move_one(state, name, &target, new).map_err(failed(state, name))?;
    }
    for name in of_results {
        let moved = match is_copy_of_record(results, name, &target) {
            Ok(true) => {
                fs::unlinkat(&results.file, name, AtFlags::empty()).map_err(io::Error::from)
            }
            _ => move_one(results, name, &target, name),
        };
        moved.map_err(failed(results, name))?;
    }
    Ok(())
}

/// Moves what the evaluator has put in the place of the user's copy of its record, a directory, say.
pub(crate) fn move_record_away(results: &Dir) -> Result<(), ClaimError> {
    let target = new_previous(results, "")?;
    let failed = |error| {
        ClaimError::failed(&results.path.join(names::RECORD), "move an earlier attempt's", error)
    };
    move_one(results, names::RECORD, &target, names::RECORD).map_err(failed)
}

/// Whether this is the user's copy of the record that was moved already.
fn is_copy_of_record(results: &Dir, name: &str, target: &OwnedFd) -> io::Result<bool> {
    if name != names::RECORD {
        return Ok(false);
    }
    let find = |dir: &std::fs::File| fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    let (ours, moved) =
        (find(&results.file)?, fs::statat(target, name, AtFlags::SYMLINK_NOFOLLOW)?);
    Ok((ours.st_dev, ours.st_ino) == (moved.st_dev, moved.st_ino))
}

/// Moves a file or directory; what is there of that name already stays, and it gets another.
fn move_one(from: &Dir, name: &str, target: &OwnedFd, new: &str) -> io::Result<()> {
    let is_there = fs::statat(target, new, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    let other = format!("{new}.left");
    let new = if is_there { &*other } else { new };
    match fs::renameat(&from.file, name, target, new) {
        // The results dir may be on another file system than what is beside it.
        Err(Errno::XDEV) => copy_over(from, name, target, new),
        moved => Ok(moved?),
    }
}

fn copy_over(from: &Dir, name: &str, target: &OwnedFd, new: &str) -> io::Result<()> {
    let whole = from.open_regular(name).map_err(io::Error::other)?.0;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(whole.metadata()?.mode());
    let mut copy = std::fs::File::from(fs::openat(target, new, flags, mode)?);
    io::copy(&mut &whole, &mut copy)?;
    Ok(fs::unlinkat(&from.file, name, AtFlags::empty())?)
}

/// What the new directory's name starts with: the attempt that its record names, or the note of its
/// submission, or nothing. That the record cannot be read is no reason to keep the next attempt from running.
fn base_name(results: &Dir, state: &Dir) -> String {
    let of = |dir: &Dir, names| {
        let record = Record::of(dir).map(|record| record.attempt);
        record.or_else(|_| Submitted::of(dir, names).map(|submitted| submitted.attempt))
    };
    let attempt = of(state, &NEW).or_else(|_| of(results, &OLD));
    attempt.map(|attempt| attempt.to_string()).unwrap_or_default()
}

fn new_previous(results: &Dir, base: &str) -> Result<OwnedFd, ClaimError> {
    let failed = |action| {
        move |error| ClaimError::failed(&results.path.join(names::PREVIOUS), action, error)
    };
    let previous = enter(results, names::PREVIOUS).map_err(failed("create or open"))?;
    new_directory(&previous, base).map_err(failed("create a directory in"))
}

/// Makes and opens a directory, which may be there but not be a symbolic link.
fn enter(dir: &Dir, name: &str) -> io::Result<OwnedFd> {
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
