//! What to run: plain data that can be built, compared and printed.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Environment, FromTemplate};

/// One command: nothing in it is ever read by a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The program: a path, or a name looked up in the `PATH` of [`Command::env`].
    pub program: OsString,
    /// Its arguments, the program's own name not among them.
    pub args: Vec<OsString>,
    /// Its whole environment: nothing of the launcher's is added.
    pub env: Environment,
    /// The directory it starts in; absolute, since the command is started by another process.
    pub cwd: PathBuf,
    /// The CPUs that it is bound to, by their numbers; empty for those of the launcher.
    pub cpus: Vec<u32>,
    /// When it is stopped.
    pub limits: Limits,
    /// Whether the command announces that its set-up is done by writing a byte to file
    /// descriptor 3; [`Exit::ready`](crate::Exit::ready) tells whether it did.
    pub announces_ready: bool,
    /// How to have it without executing it. What it is else stays true: if its template is of no use,
    /// it is executed.
    pub template: Option<FromTemplate>,
}

impl Command {
    /// A command without arguments, on the CPUs of the launcher, with the default [`Limits`]. Of `env` and `cwd`, see the fields.
    pub fn new(
        program: impl Into<OsString>,
        env: impl Into<Environment>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: env.into(),
            cwd: cwd.into(),
            cpus: Vec::new(),
            limits: Limits::default(),
            announces_ready: false,
            template: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Binds it to these CPUs, or to none in particular.
    #[must_use]
    pub fn cpus(mut self, cpus: impl Into<Vec<u32>>) -> Self {
        self.cpus = cpus.into();
        self
    }

    /// Sets when it is stopped.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether it announces that its set-up is done.
    #[must_use]
    pub fn announces_ready(mut self, announces: bool) -> Self {
        self.announces_ready = announces;
        self
    }

    /// Has it from a template.
    #[must_use]
    pub fn template(mut self, template: FromTemplate) -> Self {
        self.template = Some(template);
        self
    }
}

/// When a command is stopped, and how gently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest it may run; `None` for as long as it likes.
    pub time: Option<Duration>,
    /// How long its processes have between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Whether they have it as well when the launcher is gone, or when its [`Process`](crate::Process) was
    /// dropped; if not, they are killed at once then. For commands that keep something outside of their
    /// processes, such as a container.
    pub orphan_grace: bool,
    /// The largest either of its log files may grow to, in bytes.
    pub log_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: None, grace: Duration::from_secs(5), orphan_grace: false, log_bytes: 1 << 30 }
    }
}

/// The open files a command is given. It gets copies; these stay the caller's.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// Its standard output; a regular file opened for appending, so that the log limit can hold.
    pub stdout: BorrowedFd<'a>,
    /// Its standard error; as for `stdout`, and it may be the same file.
    pub stderr: BorrowedFd<'a>,
    /// A file of which a copy stays open, unseen by the command, until its last process is gone: a
    /// lock on it is let go of no sooner, even if the launcher was killed before.
    pub hold: Option<BorrowedFd<'a>>,
}
