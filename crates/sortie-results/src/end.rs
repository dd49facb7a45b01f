//! The results dir as it stands when an attempt has ended: whatever its evaluator has made of it.

use std::{
    fs::File,
    io::{self, Seek as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

use rustix::{
    fs::{self, Mode, OFlags},
    io::Errno,
};

use crate::{
    Found, LogTail, Place, ReadLimits, Unusable,
    dir::{Dir, chmod},
    names,
};

/// What its owner needs to use a directory.
const ALL: u32 = 0o700;

/// The results dir at the end: the one that was claimed, or the one that the evaluator has put in its place; or what is
/// wrong with it.
pub(crate) struct AtEnd(Result<Dir, Unusable>);

impl AtEnd {
    /// Looks. `held` is the directory as it was claimed, where it was kept open: it serves where its parent is closed.
    pub(crate) fn of(place: &Place, held: Option<&Dir>) -> Self {
        let opened = match place.open_results() {
            // It may be one that its owner may not enter.
            Ok(dir) if is_open(&dir.file).unwrap_or(true) => Ok(dir),
            Ok(_) => reopen(place),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => reopen(place),
            Err(error) => Err(error),
        };
        Self(opened.or_else(|error| {
            match (why_not(place), held.map(|dir| (dir.file.try_clone(), &dir.path))) {
                (Some(why), _) => Err(Unusable::NoDirectory(why)),
                (None, Some((Ok(file), path))) => Ok(Dir { file, path: path.clone() }),
                (None, _) => Err(error.into()),
            }
        }))
    }

    pub(crate) fn dir(&self) -> Option<&Dir> {
        self.0.as_ref().ok()
    }

    /// Both result files: those of the moment when the evaluator ended, where they were kept, which then take the place of
    /// what is there by now.
    pub(crate) fn find(&self, state: &Dir, limit: u64) -> Found {
        if let Ok(kept) = state.open_in(names::AT_END) {
            self.put_back(&kept, limit);
            return kept.find(limit);
        }
        match &self.0 {
            Ok(dir) => dir.find(limit),
            Err(unusable) => {
                Found { correct: Err(unusable.again()), metrics: Err(unusable.again()) }
            }
        }
    }

    /// As far as it can be done: those who read the files themselves are to find what counts.
    fn put_back(&self, kept: &Dir, limit: u64) {
        let Ok(dir) = &self.0 else { return };
        for name in [names::CORRECT, names::METRICS] {
            let Ok(bytes) = kept.read_written(name, limit) else { continue };
            if dir.read_written(name, limit).ok().as_ref() != Some(&bytes) {
                let _ = dir.replace(name, &bytes);
            }
        }
    }

    /// Puts the logs into the results dir again, if they are not there any more.
    pub(crate) fn put_logs_back(&self, logs: [(&'static str, &File); 2]) {
        let Ok(dir) = &self.0 else { return };
        for (name, log) in logs {
            if dir.has(name).is_ok_and(|there| !there) {
                // It was told what they hold, in any case.
                let _ = copy(log, dir, name);
            }
        }
    }

    /// The end of a log that this process does not hold open. It is in the results dir, or in the state dir if the script
    /// found no results dir.
    pub(crate) fn log(&self, state: &Dir, name: &str, limits: ReadLimits) -> LogTail {
        tail(self.dir(), state, name, limits)
    }
}

/// The end of a log: in the results dir, or, if there is none, where the launcher's files are.
pub(crate) fn tail(results: Option<&Dir>, state: &Dir, name: &str, limits: ReadLimits) -> LogTail {
    let limit = limits.log_tail_bytes;
    match results.map(|dir| dir.try_tail(name, limit)) {
        None | Some(Err(Unusable::Missing)) => state.tail(name, limit),
        Some(tail) => tail.unwrap_or_else(|unusable| LogTail::unreadable(&unusable)),
    }
}

/// Keeps both result files as they are now, in the launcher's directory: what counts is what was there when the evaluator
/// ended, whatever its processes that are left do until they are ended.
pub(crate) fn keep(place: &Place, held: &Dir, state: &Dir, limit: u64) -> io::Result<()> {
    match fs::mkdirat(&state.file, names::AT_END, Mode::from(0o777)) {
        // It was done before.
        Err(Errno::EXIST) => return Ok(()),
        made => made?,
    }
    let kept = state.open_in(names::AT_END)?;
    let at_end = AtEnd::of(place, Some(held));
    let Some(dir) = at_end.dir() else { return Ok(()) };
    for name in [names::CORRECT, names::METRICS] {
        match dir.read_written(name, limit) {
            Ok(bytes) => {
                use io::Write as _;
                kept.create(name, OFlags::WRONLY)?.write_all(&bytes)?;
            }
            Err(Unusable::Missing) => {}
            // Under another name it is refused for the same reason; but for a directory, which has only one.
            Err(_) => {
                let linked = fs::linkat(&dir.file, name, &kept.file, name, fs::AtFlags::empty());
                if linked.is_err() {
                    fs::mkdirat(&kept.file, name, Mode::from(0o777))?;
                }
            }
        }
    }
    Ok(())
}

/// Whether its owner may enter and read it, or this process may anyway.
fn is_open(dir: &File) -> io::Result<bool> {
    let found = dir.metadata()?;
    let this = rustix::process::geteuid();
    Ok(this.is_root() || found.uid() != this.as_raw() || found.permissions().mode() & ALL == ALL)
}

/// Gives the owner of the results dir its rights back, and opens it.
fn reopen(place: &Place) -> io::Result<Dir> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = File::from(fs::open(&place.results, flags, Mode::empty())?);
    chmod(&dir, Mode::from_raw_mode(dir.metadata()?.mode() | ALL))?;
    place.open_results()
}

/// Why there is no results dir, if that is certain.
fn why_not(place: &Place) -> Option<&'static str> {
    match place.results.symlink_metadata() {
        Ok(found) if found.is_dir() => None,
        Ok(found) if found.is_symlink() => Some("is a symbolic link by now"),
        Ok(_) => Some("is no directory any more"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("was removed"),
        Err(_) => None,
    }
}

fn copy(mut log: &File, dir: &Dir, name: &str) -> io::Result<()> {
    let mut copy = dir.create(name, OFlags::WRONLY)?;
    // It is appended to, so that its position is of no account.
    log.rewind()?;
    io::copy(&mut log, &mut copy).map(drop)
}
