//! A folder for installations, a home and environments.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use sortie_conda::{CondaError, Env, find};
use tempfile::TempDir;

/// A folder whose name has in it what shells, YAML and PATH's readers trip over.
pub(crate) struct World(TempDir);

impl World {
    pub(crate) fn new() -> Self {
        Self::named(&OsString::from_vec(b"it's $(touch pwned) \"a\"\n\xff;".to_vec()))
    }

    /// For paths that have to be written in UTF-8.
    pub(crate) fn plain() -> Self {
        Self::named("conda world".as_ref())
    }

    fn named(prefix: &OsStr) -> Self {
        Self(tempfile::Builder::new().prefix(prefix).tempdir().unwrap())
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// An environment as conda makes them.
    pub(crate) fn environment(&self, relative: &str) -> PathBuf {
        self.write(&format!("{relative}/bin/python"), "");
        self.write(&format!("{relative}/conda-meta/history"), "");
        self.path(relative)
    }

    /// An environment that conda is installed in.
    pub(crate) fn installation(&self, relative: &str) -> PathBuf {
        self.write(&format!("{relative}/bin/conda"), "");
        self.environment(relative)
    }

    /// Finds with the home `home` and the working directory `work`.
    pub(crate) fn find(&self, name: &str, env: &Env) -> Result<PathBuf, CondaError> {
        find(name, env, Some(&self.path("home")), &self.path("work"))
    }
}

pub(crate) fn env<V: AsRef<OsStr>, const N: usize>(variables: [(&str, V); N]) -> Env {
    variables.map(|(name, value)| (name.into(), value.as_ref().into())).into_iter().collect()
}

/// Paths, with colons between them.
pub(crate) fn joined(paths: &[&Path]) -> OsString {
    let bytes: Vec<_> = paths.iter().map(|path| path.as_os_str().as_bytes()).collect();
    OsString::from_vec(bytes.join(&b':'))
}
