//! What a usable evaluator is: the one judgement that `check`, a preview, a sweep before its start and each job share.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use sortie_config::{EvaluatorKind, Interpreter, JobSpec};
use thiserror::Error;

use crate::here::Here;
use crate::local::executable;
use head::Head;

mod digest;
mod head;
#[cfg(test)]
mod tests;

pub(crate) use digest::Digest;
pub use digest::evaluator_sha256;

/// Why no job can use the evaluator.
#[derive(Debug, Error)]
pub(crate) enum EvaluatorProblem {
    #[error("the evaluator {} cannot be read: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("the evaluator {} is neither a file nor a directory", .0.display())]
    Special(PathBuf),
    #[error("the evaluator {} is a directory without a `__main__.py`, which Python would run", .0.display())]
    NoMain(PathBuf),
    #[error("the evaluator {} is {what}, which Python cannot run: set `evaluator: executable` to run it as itself", path.display())]
    NotPython { path: PathBuf, what: String },
    #[error("the evaluator {} {problem}", path.display())]
    NotExecutable { path: PathBuf, problem: String },
}

impl EvaluatorProblem {
    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Special(_) | Self::NoMain(_) => {
                "set `eval_program_path`, or start where the relative path leads to it"
            }
            Self::NotPython { .. } => "or set `eval_program_path` to a program in Python",
            Self::NotExecutable { .. } => {
                "give it a `#!` line or compile it, and `chmod +x`; or set `evaluator: python`"
            }
        }
    }
}

/// The evaluator in words, for jobs with these settings; or what is wrong with it, as far as this machine can tell.
/// Nothing is started.
pub(crate) fn judge(
    spec: &JobSpec,
    here: &Here,
    path: Option<&OsString>,
) -> Result<String, EvaluatorProblem> {
    let file = here.cwd.join(&spec.evaluator);
    match spec.evaluator_kind {
        EvaluatorKind::Python => python(spec, &file),
        EvaluatorKind::Executable => match itself(spec, &file, here, path) {
            Ok(found) => Ok(described(&file, &found)),
            Err(problem) => {
                let path = spec.evaluator.clone();
                Err(EvaluatorProblem::NotExecutable { path, problem })
            }
        },
    }
}

/// What runs an evaluator that runs as itself.
fn itself(
    spec: &JobSpec,
    file: &Path,
    here: &Here,
    path: Option<&OsString>,
) -> Result<String, String> {
    let metadata = fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a file, so it cannot run as itself".to_owned());
    }
    if access(file, Access::EXEC_OK).is_err() {
        return Err("is not executable: `chmod +x` makes it so".to_owned());
    }
    let Some(head) = read_head(file) else { return Ok(String::new()) };
    // What a node or a container has is not seen from here.
    if !spec.is_here() {
        return head.runs();
    }
    if looks_up(spec) {
        head.finds(|name| executable(name, path, &here.cwd).map(drop))?;
    }
    head.runs_here(&here.cwd)
}

/// Whether what the `#!` line of an evaluator asks `env` for is on this `PATH`.
pub(crate) fn finds_interpreter(
    spec: &JobSpec,
    here: &Here,
    path: Option<&OsString>,
) -> Result<(), EvaluatorProblem> {
    let Some(head) = read_head(&here.cwd.join(&spec.evaluator)) else { return Ok(()) };
    head.finds(|name| executable(name, path, &here.cwd).map(drop)).map_err(|problem| {
        EvaluatorProblem::NotExecutable { path: spec.evaluator.clone(), problem }
    })
}

/// What loads an evaluator that is compiled and linked dynamically.
pub(crate) fn loader(spec: &JobSpec, cwd: &Path) -> Option<PathBuf> {
    read_head(&cwd.join(&spec.evaluator))?.loader().map(Path::to_owned)
}

/// What the `#!` line of an evaluator that runs as itself asks `env` for.
pub(crate) fn asks_env_for(spec: &JobSpec, cwd: &Path) -> Option<OsString> {
    if spec.evaluator_kind != EvaluatorKind::Executable {
        return None;
    }
    read_head(&cwd.join(&spec.evaluator))?.asks_env_for()
}

fn described(file: &Path, what: &str) -> String {
    let before = if what.is_empty() { "" } else { ", " };
    format!("{}{before}{what}", file.display())
}

/// Of an evaluator that Python runs, or that a program runs which the user has named.
fn python(spec: &JobSpec, file: &Path) -> Result<String, EvaluatorProblem> {
    let path = || spec.evaluator.clone();
    let unreadable = |cause| EvaluatorProblem::Unreadable { path: path(), cause };
    let metadata = fs::metadata(file).map_err(unreadable)?;
    access(file, Access::READ_OK).map_err(|errno| unreadable(errno.into()))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(EvaluatorProblem::Special(path()));
    }
    if !runs_python(spec) {
        return Ok(file.display().to_string());
    }
    if metadata.is_dir() {
        let has = |name: &str| access(file.join(name), Access::READ_OK).is_ok();
        if has("__main__.py") || has("__main__.pyc") {
            return Ok(described(file, "a directory with a `__main__.py`"));
        }
        return Err(EvaluatorProblem::NoMain(path()));
    }
    match read_head(file).and_then(|head| head.not_python(file)) {
        Some(what) => Err(EvaluatorProblem::NotPython { path: path(), what }),
        None => Ok(file.display().to_string()),
    }
}

/// Whether it is Python that runs the evaluator, as far as names tell: whoever sets `python_executable` to another
/// program has said what runs it.
pub(crate) fn runs_python(spec: &JobSpec) -> bool {
    is_named_python(spec.python())
}

/// Whether a program's name is one of Python's.
pub(crate) fn is_named_python(program: &Path) -> bool {
    let name = program.file_name().unwrap_or_default().as_bytes();
    [&b"python"[..], b"pypy"].iter().any(|python| name.starts_with(python))
}

/// Whether a job's `PATH` is known: activation changes it.
fn looks_up(spec: &JobSpec) -> bool {
    spec.is_here() && spec.interpreter() == Interpreter::OnPath
}

/// The file's beginning; `None` for one that may be executed and not read.
fn read_head(file: &Path) -> Option<Head> {
    let mut bytes = Vec::new();
    File::open(file).and_then(|file| file.take(Head::BYTES).read_to_end(&mut bytes)).ok()?;
    Some(Head(bytes))
}
