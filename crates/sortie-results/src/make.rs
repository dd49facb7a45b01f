//! Making the two directories of a job.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, mkdir},
    io::Errno,
};

use crate::{
    AttemptId, ClaimError, Place,
    dir::Dir,
    leftovers,
    names::{BESIDE, WITHIN},
    place::{Layout, beside, is_ours, true_path},
};

/// The directories of a job, open.
pub(crate) struct Made {
    pub(crate) place: Place,
    pub(crate) results: Dir,
    pub(crate) state: Dir,
    /// Whether neither was there before.
    pub(crate) fresh: bool,
}

/// Makes what is not there of a results dir, its parents, and the launcher's directory beside it.
pub(crate) fn make(results_dir: &Path) -> Result<Made, ClaimError> {
    let failed = |action| move |error| ClaimError::failed(results_dir, action, error);
    let made = make_results(results_dir).map_err(failed("create"))?;
    let mut opened = match Dir::open_true(results_dir) {
        Some(opened) => opened,
        None => {
            true_path(results_dir).and_then(|path| Dir::open_real(&path)).map_err(failed("open"))?
        }
    };
    let results = opened.path.clone();
    // People are told of it by the name that they know.
    results_dir.clone_into(&mut opened.path);
    // What an earlier sortie has under way there, it keeps in the results dir alone.
    if !made && Place::of(results_dir).layout == Layout::Old {
        leftovers::none_of_earlier_sortie(&opened)?;
    }
    let (state, layout, state_made) = make_state(&results)?;
    let place = Place { results, state, layout };
    let failed = |error| ClaimError::failed(&place.state, "open", error);
    let state = Dir::open_real(&place.state).map_err(failed)?;
    if !state_made {
        let owner = state.file.metadata().map_err(failed)?.uid();
        if !is_ours(owner) {
            let problem = format!("it belongs to another user, {owner}: use another results dir");
            return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, problem)));
        }
    }
    Ok(Made { place, results: opened, state, fresh: made && state_made })
}

/// Makes the results dir and its parents; whether it was not there before.
fn make_results(path: &Path) -> io::Result<bool> {
    match (make_dir(path), path.parent()) {
        (Err(Errno::NOENT), Some(parent)) if parent != Path::new("") => {
            std::fs::create_dir_all(parent)?;
            Ok(make_dir(path)?)
        }
        (Ok(false), _) if put_aside(path)? => Ok(make_dir(path)?),
        (made, _) => Ok(made?),
    }
}

/// Makes a directory; whether there was nothing of that name.
fn make_dir(path: &Path) -> Result<bool, Errno> {
    match mkdir(path, Mode::from(0o777)) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves what an earlier attempt has put in the place of its results dir, which was a directory, into the launcher's;
/// whether there was such a thing.
fn put_aside(path: &Path) -> io::Result<bool> {
    if path.symlink_metadata()?.is_dir() {
        return Ok(false);
    }
    let Some(state) = beside(path).filter(|state| state.is_dir()) else { return Ok(false) };
    let aside = state.join(format!("in-its-place-{}", AttemptId::generate()));
    std::fs::rename(path, aside).map(|()| true)
}

/// Makes the launcher's directory: which and how it lies, and whether it was not there before.
fn make_state(results: &Path) -> Result<(PathBuf, Layout, bool), ClaimError> {
    if let Some(state) = beside(results) {
        let made = match make_dir(&state) {
            Err(Errno::NOENT) => {
                let sortie = state.parent().unwrap_or(Path::new(BESIDE));
                make_dir(sortie).and_then(|_| make_dir(&state))
            }
            made => made,
        };
        match made {
            Ok(made) => return Ok((state, Layout::Beside, made)),
            // Nothing can be made there; `.sortie` may be somebody else's, or no directory.
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::NOTDIR) => {}
            Err(error) => return Err(ClaimError::failed(&state, "create", error.into())),
        }
    }
    let state = results.join(WITHIN);
    match make_dir(&state) {
        Ok(made) => Ok((state, Layout::Within, made)),
        Err(error) => Err(ClaimError::failed(&state, "create", error.into())),
    }
}
