//! Finding a program by name, as `execvp(3)` does, in the command's own `PATH`.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::unistd::{AccessFlags, access};

/// Where to look without a `PATH`, as `execvp(3)` of glibc.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// The path of `program`: itself if it has a slash, or else the first executable of that name in the
/// `PATH` of `env`; itself too where there is none, so that executing it tells what is wrong. What is
/// relative starts from `cwd`, where the program will.
pub(crate) fn find(program: &CStr, env: &[&CStr], cwd: &CStr) -> CString {
    if program.to_bytes().contains(&b'/') {
        return program.to_owned();
    }
    let path = env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
    path.unwrap_or(DEFAULT_PATH)
        .split(|byte| *byte == b':')
        .map(|dir| if dir.is_empty() { b"." } else { dir })
        .filter_map(|dir| CString::new([dir, b"/", program.to_bytes()].concat()).ok())
        .find(|file| is_executable(file, cwd))
        .unwrap_or_else(|| program.to_owned())
}

fn is_executable(file: &CStr, cwd: &CStr) -> bool {
    let path = |string: &CStr| Path::new(OsStr::from_bytes(string.to_bytes())).to_owned();
    let file = path(cwd).join(path(file));
    access(&file, AccessFlags::X_OK).is_ok() && file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_the_commands_path_and_paths_are_not() {
        let env = [c"PATH=/nonexistent::/bin"];
        let find = |program, env: &[&CStr]| find(program, env, c"/");
        assert_eq!(find(c"sh", &env).as_c_str(), c"/bin/sh");
        assert_eq!(find(c"./sh", &env).as_c_str(), c"./sh");
        assert_eq!(find(c"no-such-program", &env).as_c_str(), c"no-such-program");
        assert_eq!(find(c"sh", &[]).as_c_str(), c"/bin/sh");
    }

    #[test]
    fn what_is_relative_in_path_starts_from_the_commands_directory() {
        let found = |path: &CStr, cwd| find(c"sh", &[path], cwd);
        assert_eq!(found(c"PATH=bin:/usr/bin", c"/usr").as_c_str(), c"bin/sh");
        assert_eq!(found(c"PATH=bin:/usr/bin", c"/proc").as_c_str(), c"/usr/bin/sh");
        assert_eq!(found(c"PATH=:/usr/bin", c"/bin").as_c_str(), c"./sh");
    }
}
