//! A file that is there as a whole or not at all.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ReportError;

/// Writes beside the file and renames, so that a browser never loads half of it.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    write(path, content).map_err(|cause| ReportError::Write { path: path.to_owned(), cause })
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    // The umask decides who may read it, as for other files of the user.
    let mut beside = tempfile::Builder::new()
        .prefix(".report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir.unwrap_or(Path::new(".")))?;
    beside.write_all(content)?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(())
}
