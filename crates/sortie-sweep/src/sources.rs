//! From what a user names to candidates.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use sortie_results::{Object, ParseError, Value};
use thiserror::Error;

use crate::Candidate;
use crate::ids::Ids;
use crate::python::python;

/// A program in a directory of its own is called so, as evolutionary searches lay them out: `gen_12/main.py`.
const MAIN: &str = "main.py";

/// With which some programs begin a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Candidates as they are found, with a name each.
#[derive(Debug, Default)]
pub struct Sources {
    found: Vec<(Option<String>, Candidate)>,
    seen: std::collections::HashSet<PathBuf>,
}

/// What a user names that are no candidates.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It is not there, or cannot be read.
    #[error("candidate {}: {cause}", path.display())]
    Unreadable {
        /// What was named.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A directory without candidates.
    #[error("directory {} holds no candidate: neither a file, nor a directory with a {MAIN}", path.display())]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A pattern that means nothing, or to which nothing matches.
    #[error("pattern {pattern:?}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// A line of a list that does not say which candidate is meant.
    #[error("{list}:{line}: {reason}")]
    Line {
        /// The list.
        list: String,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A name that was asked for cannot be had.
    #[error("id {id:?} of candidate {} {reason}", path.display())]
    Id {
        /// The name.
        id: String,
        /// The candidate.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// There is none at all.
    #[error("no candidates")]
    None,
}

impl Sources {
    /// Adds what an argument names: a file; a directory, for its `main.py`, or else for the regular files in it and
    /// those of its directories that have a `main.py`, in the order of their names, hidden ones left out; a file
    /// `NAME.jsonl`, see [`Sources::add_json_lines`]; or a pattern, as the shell's. Files that were named before, or are
    /// named twice, count once.
    pub fn add(&mut self, argument: &Path) -> Result<(), SourceError> {
        let unreadable = |cause| SourceError::Unreadable { path: argument.to_owned(), cause };
        match fs::metadata(argument) {
            Ok(found) if found.is_dir() => self.add_directory(argument),
            Ok(_) if argument.extension().is_some_and(|name| name == "jsonl") => {
                let text = fs::read(argument).map_err(unreadable)?;
                self.add_json_lines(&argument.display().to_string(), &text)
            }
            Ok(_) => {
                self.add_file(argument.to_owned());
                Ok(())
            }
            Err(error) => match argument.to_str().filter(|text| text.contains(['*', '?', '['])) {
                Some(pattern) => self.add_pattern(pattern),
                None => Err(unreadable(error)),
            },
        }
    }

    /// Adds what a list names, each entry ended by `end`: files and directories, by their paths, byte for byte. A list as
    /// Windows writes it, with a byte order mark and a carriage return before each line's end, is read as well.
    pub fn add_list(&mut self, list: &[u8], end: u8) -> Result<(), SourceError> {
        let entries = list.split(|byte| *byte == end).filter(|entry| !entry.is_empty());
        for (number, entry) in entries.enumerate() {
            let path = listed(entry, number == 0);
            if path.as_os_str().is_empty() {
                continue;
            }
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => self.add_directory(&path)?,
                Ok(_) => self.add_file(path),
                Err(cause) => return Err(SourceError::Unreadable { path, cause }),
            }
        }
        Ok(())
    }

    /// Adds the candidates of JSON Lines, each an object with `candidate`, the path of a file; `id`, if it is to have a
    /// certain name; and `args`, if its evaluator is to be told more: an object, which reaches it as `extra_cmd_args`
    /// does. `list` is what errors call the text.
    pub fn add_json_lines(&mut self, list: &str, text: &[u8]) -> Result<(), SourceError> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let wrong = |reason| SourceError::Line { list: list.to_owned(), line: number, reason };
            let (id, path, args) = entry(line).map_err(wrong)?;
            fs::metadata(&path).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
            self.found.push((id, Candidate { id: String::new(), path, args }));
        }
        Ok(())
    }

    /// All that were found, in their order, each with a name: that which was asked for, or one after its file (or its
    /// directory, for a `main.py`), with a number if it is not the first of that name.
    pub fn candidates(self) -> Result<Vec<Candidate>, SourceError> {
        let mut ids = Ids::default();
        for (id, candidate) in &self.found {
            if let Some(id) = id {
                let path = || candidate.path.clone();
                ids.take(id).map_err(|reason| SourceError::Id {
                    id: id.clone(),
                    path: path(),
                    reason,
                })?;
            }
        }
        if self.found.is_empty() {
            return Err(SourceError::None);
        }
        let name = |(id, candidate): (Option<String>, Candidate)| {
            let id = id.unwrap_or_else(|| ids.name(&candidate.path));
            Candidate { id, ..candidate }
        };
        Ok(self.found.into_iter().map(name).collect())
    }

    fn add_file(&mut self, path: PathBuf) {
        if self.seen.insert(path.clone()) {
            self.found.push((None, Candidate { id: String::new(), path, args: Vec::new() }));
        }
    }

    fn add_directory(&mut self, path: &Path) -> Result<(), SourceError> {
        let main = path.join(MAIN);
        if main.is_file() {
            self.add_file(main);
            return Ok(());
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries =
            entries.map_err(|cause| SourceError::Unreadable { path: path.to_owned(), cause })?;
        let is_shown = |entry: &fs::DirEntry| !entry.file_name().as_bytes().starts_with(b".");
        let mut paths: Vec<_> = entries.iter().filter(|entry| is_shown(entry)).collect();
        paths.sort_by_key(|entry| entry.file_name());
        let mut any = false;
        for path in paths.into_iter().map(fs::DirEntry::path) {
            let main = path.join(MAIN);
            if main.is_file() {
                self.add_file(main);
            } else if path.is_file() {
                self.add_file(path);
            } else {
                continue;
            }
            any = true;
        }
        if any { Ok(()) } else { Err(SourceError::EmptyDirectory { path: path.to_owned() }) }
    }

    fn add_pattern(&mut self, pattern: &str) -> Result<(), SourceError> {
        let wrong = |reason: String| SourceError::Pattern { pattern: pattern.to_owned(), reason };
        let options = glob::MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let paths = glob::glob_with(pattern, options).map_err(|error| wrong(error.to_string()))?;
        let mut any = false;
        for path in paths {
            self.add(&path.map_err(|error| wrong(error.to_string()))?)?;
            any = true;
        }
        if any { Ok(()) } else { Err(wrong("nothing matches".to_owned())) }
    }
}

/// The path that an entry of a list means: as it stands, if that is there.
fn listed(entry: &[u8], is_first: bool) -> PathBuf {
    let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_owned()));
    let as_it_stands = path(entry);
    if as_it_stands.exists() {
        return as_it_stands;
    }
    let without_mark = entry.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first).unwrap_or(entry);
    path(without_mark.strip_suffix(b"\r").unwrap_or(without_mark))
}

type Entry = (Option<String>, PathBuf, Vec<(String, String)>);

/// A line of JSON Lines.
fn entry(line: &[u8]) -> Result<Entry, String> {
    let value = Value::parse(line).map_err(|error: ParseError| error.to_string())?;
    let Value::Object(members) = value else {
        return Err("expected an object with `candidate`, and perhaps `id` and `args`".to_owned());
    };
    let known = ["candidate", "id", "args"];
    if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("unknown member `{name}`, expected `candidate`, `id` or `args`"));
    }
    let path = match members.get("candidate") {
        Some(Value::String(path)) if !path.is_empty() => PathBuf::from(path),
        Some(_) => return Err("`candidate` is not the path of a file".to_owned()),
        None => return Err("there is no `candidate`".to_owned()),
    };
    let id = match members.get("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Int(id)) => Some(id.to_string()),
        Some(_) => return Err("`id` is neither a string nor a whole number".to_owned()),
    };
    match members.get("args") {
        None | Some(Value::Null) => Ok((id, path, Vec::new())),
        Some(Value::Object(args)) => Ok((id, path, arguments(args))),
        Some(_) => Err("`args` is not an object of names and values".to_owned()),
    }
}

/// Values are told as Python prints them, as those of the settings are.
fn arguments(args: &Object) -> Vec<(String, String)> {
    args.iter().map(|(name, value)| (name.clone(), python(value).to_string())).collect()
}
