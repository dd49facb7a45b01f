#![doc = include_str!("../README.md")]
//!
//! # What a fork isolates, and what it does not
//!
//! Each job is a process of its own, forked from a server that has never run the evaluator or a
//! candidate, and of which no job has the socket or the memory: nothing a job does to its memory, files, directory or
//! environment reaches the server or another job. The evaluator's own code runs anew in each job,
//! from its first line to its exit handlers, and generators that are random by default are seeded anew.
//!
//! What jobs of one server share is what importing left behind:
//!
//! - The hash seed (`PYTHONHASHSEED`), so that sets of texts have one order in all of them.
//! - Random numbers drawn while importing, and generators (`random.Random()`,
//!   `numpy.random.default_rng()`) that an imported module made then and keeps. The global ones of
//!   `random`, `numpy` and `torch` are seeded anew, even where an imported module has seeded them: seed in
//!   the evaluator.
//! - What modules print when they are imported: each job repeats it at its start.
//! - What modules look at and keep when they are imported, as they are imported in the server: `sys.argv` holds nothing
//!   but the evaluator then, the process id is the server's, and the time is that of its start.
//! - The layout of memory, which address space randomisation does not change between forks.
//!
//! A job can tell that it is warm: `traceback.print_stack()` shows one more frame at the top, some
//! modules of Python's own are in `sys.modules` that the evaluator did not import (`_ctypes`, `_ast`)
//! or would import later (`gettext`, `locale` and `shutil`, which `argparse` does when it is used), the
//! library behind `_ctypes`, libffi, may have its own file open, and `/proc/self/cmdline` is the
//! server's, which is its parent. A server that is killed takes its job along, which is lost then as if
//! sortie's own process had been killed, and is not said to have failed. At its end, exit handlers run and files are written out, but
//! the modules that were imported by the server are not taken apart, nor is what importing left behind
//! as garbage in cycles.
//!
//! # What is imported
//!
//! The evaluator's `import` statements at its top level, inside `try` and `if` too, up to the first
//! statement that may change what an import does (`sys.path.insert(…)`, `os.environ[…] = …`); what
//! comes after it, and what is imported under `if __name__ == "__main__"`, is left to each job. The
//! modules of `preload` are imported after that.
//!
//! # When a server is replaced
//!
//! Before each fork, the evaluator and the imported modules of the user's own are looked at (times,
//! size, inode; content, where times cannot tell), and the directories of installed packages; the
//! files of installed packages every five seconds. If one has changed, a new server takes over.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use sortie_process::{Environment, Template};

/// The server, for Python 3.8 and later.
const SERVER: &str = concat!(include_str!("imports.py"), include_str!("server.py"));
/// What tries an evaluator's imports.
const CHECK: &str = concat!(include_str!("imports.py"), include_str!("check.py"));
/// What says which Python it is.
const WHICH: &str = concat!(include_str!("imports.py"), include_str!("which.py"));

/// How long a server may take to import everything, from a cold network file system too.
const PATIENCE: Duration = Duration::from_secs(120);
/// By how much a server may grow, in bytes: it does nothing but fork.
const GROWTH: u64 = 64 << 20;

/// The arguments with which Python becomes the server of `evaluator`, a path as the job is given it,
/// and imports the modules of `preload` as well.
pub fn server_args(evaluator: &Path, preload: &[String]) -> Vec<OsString> {
    let fixed = ["-c".into(), SERVER.into(), evaluator.into()];
    fixed.into_iter().chain(preload.iter().map(OsString::from)).collect()
}

/// The arguments with which Python imports what the server of `evaluator` would, says on its last line
/// `ready` or `refuse REASON`, and ends.
pub fn check_args(evaluator: &Path, preload: &[String]) -> Vec<OsString> {
    let mut args = server_args(evaluator, preload);
    args.insert(2, "--check".into());
    args
}

/// The arguments with which a program says which Python it is, as `python EXECUTABLE VERSION` on its last line; a shell
/// says `refuse REASON` there. To another program they are harmless: none of it is a command.
pub fn which_args() -> Vec<OsString> {
    ["-c", WHICH, "--check"].map(OsString::from).to_vec()
}

/// The arguments with which Python imports what `evaluator`, a path as the job is given it, imports when it is run, and
/// does nothing else of it. On standard output it prints `at WHERE` before each import, and on the last line how it went:
///
/// - `fine NUMBER`: all could be imported;
/// - `partly WHAT`: the rest could; whether this can is for a job to tell;
/// - `missing WHAT`, `syntax WHAT`, `raises WHAT`: each job will fail at this.
///
/// What is imported: all that the evaluator imports at its top level, in the order and the branches in which it would;
/// under `if __name__ == "__main__"` too, as a job runs that. Where a `try` handles the failure of an import, the handler
/// is followed. Nothing is written: no `__pycache__` is made.
pub fn imports_args(evaluator: &Path) -> Vec<OsString> {
    vec!["-c".into(), CHECK.into(), "--check".into(), evaluator.into()]
}

/// A server that has no program, environment and directory yet, with the limits that suit most: any
/// number of them at a time, each kept for five minutes without a job and for a thousand jobs.
pub fn template() -> Template {
    Template {
        program: OsString::new(),
        args: Vec::new(),
        env: Environment::default(),
        cwd: "/".into(),
        cpus: Vec::new(),
        most: usize::MAX,
        patience: PATIENCE,
        idle: Duration::from_secs(300),
        commands: 1000,
        growth: GROWTH,
    }
}
