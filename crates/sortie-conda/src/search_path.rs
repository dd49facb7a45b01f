//! `PATH`, before and after.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::CondaError;

/// A `PATH` taken apart.
pub(crate) struct SearchPath(Vec<PathBuf>);

impl SearchPath {
    /// What conda takes for `PATH` where there is none is `/usr/bin`.
    pub(crate) fn new(path: Option<&OsStr>) -> Self {
        Self(env::split_paths(path.unwrap_or("/usr/bin".as_ref())).collect())
    }

    /// The first activation: the environment in front, then conda itself, if no `condabin` is there.
    pub(crate) fn enter(mut self, prefix: &Path, conda: Option<&Path>) -> Self {
        if let Some(root) = conda
            && !self.0.iter().any(|folder| folder.ends_with("condabin"))
        {
            self.0.insert(0, root.join("condabin"));
        }
        self.0.insert(0, prefix.join("bin"));
        self
    }

    /// A further one: the environment where the other was, or in front if that was nowhere. Paths
    /// are compared as paths: `/x//bin/` is `/x/bin`.
    pub(crate) fn replace(mut self, left: Option<&Path>, prefix: &Path) -> Self {
        let left = left.map(|left| left.join("bin"));
        let place = left.and_then(|left| self.0.iter().position(|folder| *folder == left));
        if let Some(place) = place {
            self.0.remove(place);
        }
        self.0.insert(place.unwrap_or(0), prefix.join("bin"));
        self
    }

    /// Fails if the environment's own path has a colon in it.
    pub(crate) fn join(self, prefix: &Path) -> Result<OsString, CondaError> {
        env::join_paths(self.0).map_err(|_| CondaError::Colon { prefix: prefix.into() })
    }
}
