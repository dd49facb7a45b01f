//! The one rule for blame: whose fault it is that an attempt went wrong. `docs/blame.md` has it as a table.
//!
//! An evaluator that never got as far as its candidate is nobody's candidate: an import that it misses, or a syntax
//! error of its own, is for the user to mend. Python says which by the traceback that it prints last. A traceback is
//! only text, which a candidate can print too, so it is believed only where nothing speaks against it: the evaluator
//! exited with Python's own status, left neither result file, and no frame is the candidate's or of unknown origin. The
//! worst that a forged one can do is to have a person look: such an attempt scores nothing, and is run again when its
//! sweep is resumed. No log is ever believed where it blames the machine.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use crate::traceback::Traceback;
use crate::why::{end_of, last_spoken};
use crate::{Fault, Found, LogTail, Outcome, Unusable};

/// How much of the end of standard error is searched for a traceback, in bytes.
const LAST_WORDS: usize = 64 << 10;

/// Why a shell cannot become a program, in the words of bash up to 5.3.
const REFUSALS: [&str; 6] = [
    "cannot execute: required file not found",
    "cannot execute binary file: Exec format error",
    "cannot execute binary file",
    "No such file or directory",
    "Argument list too long",
    "Permission denied",
];

/// The files that a traceback may name, as the evaluator knows them.
///
/// The default names none: then no traceback is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// Where relative names start.
    pub directory: PathBuf,
    /// The evaluator: a file, a directory with a `__main__.py`, or an archive.
    pub evaluator: PathBuf,
    /// The candidate: a file or a directory.
    pub candidate: PathBuf,
    /// The results dir, in which evaluators often keep a copy of the candidate.
    pub results_dir: PathBuf,
    /// The directory that a container sees in place of `directory`, if it runs in one.
    pub inside: Option<PathBuf>,
    /// The program that the evaluator's `#!` line has `env` look for, as in `#!/usr/bin/env ruby`.
    pub asks_env_for: Option<OsString>,
}

/// Whose fault it is that an attempt ended so; `None` where nothing went wrong, or somebody stopped it.
pub(crate) fn blame(
    outcome: &Outcome,
    found: &Found,
    stderr: &LogTail,
    programs: &Programs,
) -> Option<Fault> {
    match outcome {
        Outcome::Exited { code: 0 } | Outcome::Cancelled => None,
        Outcome::Exited { code } if evaluator_broke(*code, found, stderr, programs) => {
            Some(Fault::Setup)
        }
        Outcome::Exited { .. }
        | Outcome::Signaled { .. }
        | Outcome::TimedOut { .. }
        | Outcome::OutOfMemory
        | Outcome::OutputLimit { .. } => Some(Fault::Candidate),
        Outcome::NotStarted { fault, .. }
        | Outcome::SetupFailed { fault, .. }
        | Outcome::SubmitFailed { fault, .. } => Some(*fault),
        Outcome::NodeFailed { .. } | Outcome::Preempted | Outcome::Lost { .. } => {
            Some(Fault::Infrastructure)
        }
    }
}

/// Whether the evaluator failed before it came to its candidate.
fn evaluator_broke(code: i32, found: &Found, stderr: &LogTail, programs: &Programs) -> bool {
    let nothing = |file: &Result<_, Unusable>| matches!(file, Err(Unusable::Missing));
    if programs.evaluator.as_os_str().is_empty()
        || !nothing(&found.correct)
        || !nothing(&found.metrics)
    {
        return false;
    }
    let text = end_of(stderr, LAST_WORDS);
    match code {
        // An exception that nobody caught; a package or directory that cannot be executed.
        1 => {
            Traceback::last_in(&text).is_some_and(|traceback| programs.broke_in(&traceback))
                || programs.has_no_main(&text)
        }
        // Python cannot open its script. A program that the candidate starts may say so of another.
        2 => last_spoken(&text)
            .is_some_and(|line| programs.is_named_after(line, ": can't open file ")),
        // A shell, `env` or `ld.so(8)` cannot start it.
        126 | 127 => last_spoken(&text).is_some_and(|line| programs.cannot_start(line)),
        _ => false,
    }
}

impl Programs {
    /// Whether it is an error of the evaluator's own, raised before any of the candidate's code ran.
    fn broke_in(&self, traceback: &Traceback<'_>) -> bool {
        // What comes before the evaluator's first frame is Python's own way to it.
        let frames = traceback.files.iter().skip_while(|file| !self.is_evaluator(file));
        let frames: Vec<_> = frames.collect();
        let Some(raised_in) = frames.last() else { return false };
        let is_import = matches!(traceback.error, "ImportError" | "ModuleNotFoundError");
        let is_syntax = matches!(traceback.error, "SyntaxError" | "IndentationError" | "TabError");
        let known = |file: &str| match file.strip_prefix('<') {
            Some(no_file) => no_file.starts_with("frozen "), // Python's own importing
            None => self.is_ours(file),
        };
        let candidate_imported = traceback.missing_module().is_some_and(|it| self.is_named(it));
        (is_import || is_syntax && self.is_beside_evaluator(raised_in))
            && frames.iter().all(|file| known(file))
            && !candidate_imported
    }

    /// Whether a file is of the evaluator or an installed package, and for certain not of the candidate.
    fn is_ours(&self, file: &str) -> bool {
        self.is_evaluator(file) || self.is_beside_evaluator(file) || is_installed(file)
    }

    fn is_evaluator(&self, file: &str) -> bool {
        let path = self.resolve(file);
        path.starts_with(self.resolve(&self.evaluator))
    }

    /// Whether a file lies where the evaluator's own modules do, and nothing of the candidate's does.
    fn is_beside_evaluator(&self, file: &str) -> bool {
        let path = self.resolve(file);
        let evaluator = self.resolve(&self.evaluator);
        let candidate = self.resolve(&self.candidate);
        let of_candidate = candidate.parent().is_some_and(|dir| {
            path.starts_with(&candidate) || path.starts_with(dir) && !evaluator.starts_with(dir)
        });
        let in_results = path.starts_with(self.resolve(&self.results_dir));
        evaluator.parent().is_some_and(|dir| path.starts_with(dir)) && !of_candidate && !in_results
    }

    /// Whether a module is called as the candidate is, which the evaluator then could not import.
    fn is_named(&self, module: &str) -> bool {
        let first = module.split('.').next().unwrap_or(module);
        self.candidate.file_stem() == Some(OsStr::new(first))
    }

    fn has_no_main(&self, text: &str) -> bool {
        let said = ": can't find '__main__' module in ";
        last_spoken(text).is_some_and(|line| self.is_named_after(line, said))
    }

    /// Whether Python names the evaluator after these words, as a literal.
    fn is_named_after(&self, line: &str, words: &str) -> bool {
        let Some((_, rest)) = line.split_once(words) else { return false };
        literal(rest).is_some_and(|path| self.resolve(path) == self.resolve(&self.evaluator))
    }

    /// Whether `env` says that it cannot run what the evaluator's first line asks it for: `env: 'ruby': No such file or
    /// directory` (coreutils, with other quotes in UTF-8), `env: can't execute 'ruby': …` (busybox), `env: exec ruby: …`
    /// (toybox).
    fn lacks_interpreter(&self, line: &str) -> bool {
        let Some(program) = self.asks_env_for.as_deref().and_then(OsStr::to_str) else {
            return false;
        };
        let Some((env, said)) = line.split_once(": ") else { return false };
        let quotes = |c: char| matches!(c, '\'' | '"' | '`' | '‘' | '’');
        let named = said.split(": ").next().unwrap_or_default();
        let named = named.strip_prefix("can't execute ").unwrap_or(named);
        let named = named.strip_prefix("exec ").unwrap_or(named);
        Path::new(env).file_name() == Some(OsStr::new("env"))
            && named.trim_matches(quotes) == program
    }

    fn cannot_start(&self, line: &str) -> bool {
        self.is_refused(line) || self.lacks_interpreter(line) || self.lacks_library(line)
    }

    /// Whether the shell that was to become the evaluator says that it could not: `script: line 3: ./judge: Permission
    /// denied`.
    fn is_refused(&self, line: &str) -> bool {
        let Some((number, said)) =
            line.split_once(": line ").and_then(|(_, it)| it.split_once(": "))
        else {
            return false;
        };
        let mut programs =
            REFUSALS.iter().filter_map(|words| said.strip_suffix(words)?.strip_suffix(": "));
        number.parse::<u32>().is_ok()
            && programs.any(|program| self.resolve(program) == self.resolve(&self.evaluator))
    }

    fn lacks_library(&self, line: &str) -> bool {
        let Some((program, _)) = line.split_once(": error while loading shared libraries: ") else {
            return false;
        };
        self.is_evaluator(program)
    }

    /// The one name of a file: absolute, as the launcher sees it, without `.` and `..`.
    fn resolve(&self, file: impl AsRef<Path>) -> PathBuf {
        let file = file.as_ref();
        let outside = self.inside.as_ref().and_then(|inside| file.strip_prefix(inside).ok());
        let mut resolved = PathBuf::new();
        for component in self.directory.join(outside.unwrap_or(file)).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    resolved.pop();
                }
                other => resolved.push(other),
            }
        }
        resolved
    }
}

/// Parses the path at the start of a text, written as a Python string literal. Python escapes what it cannot print.
fn literal(text: &str) -> Option<PathBuf> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut path = Vec::new();
    let push = |path: &mut Vec<u8>, c: char| {
        path.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    };
    loop {
        match chars.next()? {
            c if c == quote => return Some(OsString::from_vec(path).into()),
            '\\' => {
                let digits = match chars.next()? {
                    'n' => {
                        path.push(b'\n');
                        continue;
                    }
                    't' => {
                        path.push(b'\t');
                        continue;
                    }
                    'r' => {
                        path.push(b'\r');
                        continue;
                    }
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    c => {
                        push(&mut path, c);
                        continue;
                    }
                };
                let number: String = chars.by_ref().take(digits).collect();
                match u32::from_str_radix(&number, 16).ok()? {
                    // A byte that is not UTF-8, <https://peps.python.org/pep-0383/>.
                    surrogate @ 0xdc80..=0xdcff => path.push((surrogate & 0xff).try_into().ok()?),
                    number => push(&mut path, char::from_u32(number)?),
                }
            }
            c => push(&mut path, c),
        }
    }
}

/// Whether a file belongs to an installed package or to Python's library.
fn is_installed(file: &str) -> bool {
    let mut parts = Path::new(file).components().map(|part| part.as_os_str().to_owned());
    parts.any(|part: OsString| {
        let part = part.to_string_lossy();
        matches!(&*part, "site-packages" | "dist-packages")
            || part.strip_prefix("python3.").is_some_and(|minor| minor.parse::<u8>().is_ok())
    })
}
