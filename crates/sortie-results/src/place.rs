//! Where the launcher keeps what it knows of a job: **beside the results dir, in `.sortie/`, by the same name.**
//!
//! The results dir is its evaluator's to use, and may be emptied, replaced or locked by it. So the launcher's own files of
//! `PARENT/NAME` are in `PARENT/.sortie/NAME`: other machines that share the one see the other, too, and whoever has the
//! results dir finds it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use crate::{
    dir::Dir,
    names::{BESIDE, NEW, Names, OLD, WITHIN},
};

/// So many symbolic links lead to a results dir, at most: `path_resolution(7)`.
const LINKS: usize = 40;

/// Where the two directories of a job are: the one its evaluator writes to, and the launcher's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) results: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) layout: Layout,
}

/// How they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `PARENT/NAME` and `PARENT/.sortie/NAME`.
    Beside,
    /// `PARENT/NAME` and `PARENT/NAME/.sortie-state`, as nothing could be made in `PARENT`.
    Within,
    /// One directory for both: made by an earlier sortie, copied or moved to there, or by hand.
    Old,
}

impl Place {
    /// Where the directories of a job are, for whoever comes with the results dir alone; where it has none of its own, the
    /// launcher's files are looked for in the results dir itself.
    pub fn of(results_dir: &Path) -> Self {
        let beside = |results: PathBuf| {
            let state = beside(&results)?;
            is_usable(&state, &results).then_some(Self { results, state, layout: Layout::Beside })
        };
        let within = || {
            let state = results_dir.join(WITHIN);
            let results = results_dir.to_owned();
            let is_there = is_usable(&state, results_dir);
            is_there.then_some(Self { results, state, layout: Layout::Within })
        };
        let old = || Self {
            results: results_dir.to_owned(),
            state: results_dir.to_owned(),
            layout: Layout::Old,
        };
        beside(results_dir.to_owned())
            .or_else(|| beside(true_path(results_dir).ok().filter(|path| path != results_dir)?))
            .or_else(within)
            .unwrap_or_else(old)
    }

    /// Where they would be once the results dir is claimed.
    pub fn expected(results_dir: &Path) -> Self {
        let results = true_path(results_dir).unwrap_or_else(|_| results_dir.to_owned());
        match (Self::of(results_dir), beside(&results)) {
            (Self { layout: Layout::Old, .. }, Some(state)) => {
                Self { results, state, layout: Layout::Beside }
            }
            (found, _) => found,
        }
    }

    /// The directory that the evaluator writes to.
    pub fn results_dir(&self) -> &Path {
        &self.results
    }

    /// The launcher's own directory.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    pub(crate) fn names(&self) -> &'static Names {
        if self.layout == Layout::Old { &OLD } else { &NEW }
    }

    pub(crate) fn open_state(&self) -> io::Result<Dir> {
        match self.layout {
            Layout::Old => Dir::open(&self.state),
            Layout::Beside | Layout::Within => Dir::open_real(&self.state),
        }
    }

    /// Opens the results dir: not through a symbolic link, where there was none when it was claimed.
    pub(crate) fn open_results(&self) -> io::Result<Dir> {
        match self.layout {
            Layout::Beside => Dir::open_real(&self.results),
            Layout::Within | Layout::Old => Dir::open(&self.results),
        }
    }
}

/// Where the launcher's directory belongs that goes with a results dir.
pub(crate) fn beside(results: &Path) -> Option<PathBuf> {
    let Component::Normal(name) = results.components().next_back()? else { return None };
    Some(results.parent()?.join(BESIDE).join(name))
}

/// Whether that is a directory, and not somebody else's who may write to where it is, such as `/tmp`.
fn is_usable(state: &Path, results: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(state) else { return false };
    found.is_dir() && (is_ours(found.uid()) || owner(results) == Some(found.uid()))
}

pub(crate) fn is_ours(uid: u32) -> bool {
    let this = rustix::process::geteuid();
    this.is_root() || uid == 0 || uid == this.as_raw()
}

fn owner(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|found| found.uid())
}

/// The path without symbolic links, of what may not be there but has a parent that is.
pub(crate) fn true_path(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return path.canonicalize();
        };
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let parent = parent.unwrap_or(Path::new(".")).canonicalize()?;
        let found = parent.join(name);
        match fs::read_link(&found) {
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok(found),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn it_is_beside_the_results_dir_by_whatever_name_that_is_reached() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let state = root.join("a/.sortie/r");
        fs::create_dir_all(&state).unwrap();
        symlink(root.join("a"), root.join("b")).unwrap();
        symlink("b/r", root.join("link")).unwrap();
        // The results dir need not be there.
        for name in ["a/r", "b/r", "link", "a/../a/r", "a/r/"] {
            let place = Place::of(&root.join(name));
            assert_eq!(place.state.canonicalize().unwrap(), state, "{name}");
            assert_eq!(place.layout, Layout::Beside);
        }
        fs::create_dir_all(root.join("a/r/sub")).unwrap();
        for name in ["a/r/.", "a/r/sub/.."] {
            assert_eq!(Place::of(&root.join(name)).state.canonicalize().unwrap(), state, "{name}");
        }
        assert_eq!(Place::of(&root.join("a/other")).layout, Layout::Old);
        assert_eq!(Place::of(Path::new("/")).layout, Layout::Old);
    }

    #[test]
    fn what_is_no_directory_is_not_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(BESIDE)).unwrap();
        fs::create_dir(root.path().join("r")).unwrap();
        symlink("/etc", root.path().join(".sortie/r")).unwrap();
        assert_eq!(Place::of(&root.path().join("r")).layout, Layout::Old);
    }
}
