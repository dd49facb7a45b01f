//! Whether a program is there to be run, found out before anything is started.

use std::env::split_paths;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Where `execvp(3)` of glibc looks without a `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The file that a program's name or path leads to, for a process that starts in `cwd`; or what is
/// wrong with it.
pub(crate) fn executable(
    program: &Path,
    path: Option<&OsString>,
    cwd: &Path,
) -> Result<PathBuf, &'static str> {
    if program.as_os_str().as_bytes().contains(&b'/') {
        let file = cwd.join(program);
        return check(&file).map(|()| file);
    }
    split_paths(path.map_or(DEFAULT_PATH.as_ref(), OsString::as_os_str))
        .map(|dir| cwd.join(dir).join(program))
        .find(|file| check(file).is_ok())
        .ok_or("is not on PATH")
}

fn check(file: &Path) -> Result<(), &'static str> {
    match std::fs::metadata(file) {
        Err(_) => Err("does not exist"),
        Ok(metadata) if !metadata.is_file() => Err("is not a file"),
        Ok(_) => access(file, Access::EXEC_OK).map_err(|_| "is not executable"),
    }
}
