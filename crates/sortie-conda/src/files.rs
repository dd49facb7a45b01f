//! Files and directories that need not be there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::CondaError;

/// What is in a file; `None` if there is no such file.
pub(crate) fn read(file: &Path) -> Result<Option<Vec<u8>>, CondaError> {
    present(fs::read(file), file)
}

/// What is in a directory, sorted by name; nothing if there is no such directory.
pub(crate) fn entries(directory: &Path) -> Result<Vec<PathBuf>, CondaError> {
    let paths = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    let mut paths = present(paths, directory)?.unwrap_or_default();
    paths.sort();
    Ok(paths)
}

fn present<T>(read: io::Result<T>, file: &Path) -> Result<Option<T>, CondaError> {
    match read {
        Ok(content) => Ok(Some(content)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(CondaError::Read { file: file.into(), cause: error }),
        },
    }
}
