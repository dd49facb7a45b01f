//! The command line that activates an environment on this machine, then becomes the command.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

/// The file descriptor to which one byte is written once activation has succeeded, just before
/// the shell becomes the command. It must be open; the command does not see it, nor do the scripts.
pub const READY_FD: i32 = 3;

/// What both texts end in.
macro_rules! text {
    ($file:literal) => {
        concat!(
            include_str!("watch.sh"),
            include_str!("interpreter.sh"),
            include_str!("local/run.sh"),
            include_str!($file)
        )
    };
}

const SOURCED: &str = text!("local/sourced.sh");
const HOOKED: &str = text!("local/hooked.sh");
const EXPECT: &str =
    concat!(include_str!("interpreter.sh"), "__sortie_expect_interpreter \"$1\"\n");

/// The command line that runs `command` after sourcing `script` in a login shell, as the reference
/// does (`bash -lc 'set -e; source SCRIPT; exec …'`). Both are run in `directory`, an absolute path, wherever login files and
/// the script go, so that relative paths mean there what they mean here.
///
/// A script that fails, under `set -e`, ends the shell with its status, and the byte of
/// [`READY_FD`] is not written; so does a `command` whose program is not found, with status 127. The last line on standard
/// error tells the file, line and command that failed, where bash knows them.
/// The script gets no arguments. A name without a slash is a file of the working directory; it is
/// not looked up on `PATH`.
pub fn sourced(directory: &Path, script: &Path, command: &[OsString]) -> Vec<OsString> {
    bash(["-lc", SOURCED], [directory.into(), with_slash(script)], command)
}

/// The command line that says whether what the first line of a script names is found, without running it: the look that
/// [`sourced`] and [`hooked`] take before they become a command with a slash in its path.
pub fn expect_interpreter(script: &OsStr) -> Vec<OsString> {
    bash(["--noprofile", "--norc", "-c", EXPECT], [script.to_owned()], &[])
}

/// One thing to do before a command can run, in [`hooked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Source this script.
    Source(&'a Path),
    /// Take this variable out of the environment.
    Unset(&'a OsStr),
    /// Put this variable into the environment: a name as bash knows names, and the value.
    Set(&'a OsStr, &'a OsStr),
}

/// The command line that runs `command` after these steps, in order, in a plain shell and in `directory`, an absolute path
/// to which it returns after the steps: Conda's
/// hooks, and between those of the environment that is left and those of the one that is entered
/// the variables that change.
///
/// As in `conda activate`, a hook that fails is no failure of the activation (hooks are written
/// with that in mind: many end in a test that is false); a line on standard error says so. What
/// fails it: a hook that calls `exit`, a variable that cannot be set or unset (status 1), a program
/// that is not found (127). The byte of [`READY_FD`] is not written then. Hooks get no arguments,
/// and what one of them leaves set of `-e` and `-u` does not reach the next.
///
/// ```
/// use sortie_script::{Step, hooked};
///
/// let steps = [Step::Set("LANG".as_ref(), "C".as_ref()), Step::Source("/env/hook.sh".as_ref())];
/// let argv = hooked("/work".as_ref(), &steps, &["python".into(), "evaluate.py".into()]);
/// let expected = ["/work", "export", "LANG=C", "source", "/env/hook.sh", "--", "python", "evaluate.py"];
/// assert_eq!(argv[6..], expected);
/// ```
pub fn hooked(directory: &Path, steps: &[Step<'_>], command: &[OsString]) -> Vec<OsString> {
    let steps = steps.iter().flat_map(|step| match *step {
        Step::Source(script) => ["source".into(), with_slash(script)],
        Step::Unset(name) => ["unset".into(), name.into()],
        Step::Set(name, value) => ["export".into(), [name, "=".as_ref(), value].join("".as_ref())],
    });
    let arguments = [directory.into()].into_iter().chain(steps).chain(["--".into()]);
    bash(["--noprofile", "--norc", "-c", HOOKED], arguments, command)
}

/// `bash OPTIONS… bash ARGUMENTS… COMMAND…`: the second is the name under which it complains.
fn bash<const N: usize>(
    options: [&str; N],
    arguments: impl IntoIterator<Item = OsString>,
    command: &[OsString],
) -> Vec<OsString> {
    let options = ["bash"].into_iter().chain(options).chain(["bash"]).map(OsString::from);
    options.chain(arguments).chain(command.iter().cloned()).collect()
}

/// Bash looks up a name without a slash on `PATH`, and takes one that starts with `-` for options.
pub(crate) fn with_slash(script: &Path) -> OsString {
    if script.as_os_str().as_encoded_bytes().contains(&b'/') {
        script.into()
    } else {
        Path::new(".").join(script).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_a_path_never_a_name_or_an_option() {
        let script = |name: &str| sourced("/".as_ref(), name.as_ref(), &[])[5].clone();
        assert_eq!(script("activate"), "./activate");
        assert_eq!(script("-x"), "./-x");
        assert_eq!(script("venv/activate"), "venv/activate");
    }

    #[test]
    fn texts_are_written_for_the_file_descriptor() {
        for text in [SOURCED, HOOKED] {
            assert!(
                text.contains(&format!(">&{READY_FD}")) && text.contains(&format!("{READY_FD}>&-"))
            );
        }
    }
}
