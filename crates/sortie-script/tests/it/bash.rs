//! A real bash, with the file descriptor that is announced on.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A program that tests start directly.
#[expect(clippy::disallowed_methods, reason = "a test of the texts alone has no runner")]
pub(crate) fn program(name: &str) -> Command {
    Command::new(name)
}

/// The processes that this one is the parent of.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.split(' ').nth(1) == Some(&parent.to_string())
    };
    pids.filter(is_child).collect()
}

/// An empty home, to put scripts in, under a name that needs quotes.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let name = OsString::from_vec(b"it's $(touch pwned) \"a\"\n\xff; ".to_vec());
        Self(tempfile::Builder::new().prefix(&name).tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the command line here, with almost nothing in its environment.
    pub(crate) fn run(&self, argv: &[OsString]) -> Ended {
        let ready = self.path().join("ready");
        // What the runner does: the command line with file descriptor 3 open.
        let mut bash = program("bash");
        bash.args(["--noprofile", "--norc", "-c", r#"exec 3>"$0"; exec -- "$@""#]).arg(&ready);
        bash.args(argv).current_dir(self.path()).env_clear();
        bash.env("HOME", self.path()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        let output = bash.output().unwrap();
        assert!(!self.path().join("pwned").exists(), "a name was evaluated");
        Ended { ready: fs::read(&ready).unwrap(), output }
    }
}

/// How a command line ended.
pub(crate) struct Ended {
    /// What was written to file descriptor 3.
    pub(crate) ready: Vec<u8>,
    pub(crate) output: Output,
}

impl Ended {
    #[track_caller]
    pub(crate) fn ready(self) -> Vec<u8> {
        let stderr = self.stderr();
        assert_eq!(self.ready, b".", "{stderr}");
        assert!(self.output.status.success(), "{:?} {stderr}", self.output.status);
        self.output.stdout
    }

    /// The status, and what was said about it.
    #[track_caller]
    pub(crate) fn failed(&self) -> (i32, String) {
        assert_eq!(self.ready, b"");
        assert_eq!(self.output.stdout, b"", "the command ran");
        (self.output.status.code().unwrap(), self.stderr())
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// A command that prints its arguments, each with a NUL byte after it.
pub(crate) fn print(words: &[&OsStr]) -> Vec<OsString> {
    let command = ["printf", r"%s\0"].map(OsStr::new);
    command.iter().chain(words).map(|&word| word.to_owned()).collect()
}

/// A command that runs this in a shell of its own.
pub(crate) fn sh(text: &str) -> Vec<OsString> {
    ["sh", "-c", text].map(OsString::from).to_vec()
}
