//! What is wrong with a YAML file, and where.

use std::{fmt, io, path::PathBuf};

use serde::de::{self, Expected, Unexpected};

use super::node::Mark;

/// Settings that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read at all.
    #[error("{}: cannot read: {cause}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file can be read but not understood.
    #[error("{file}:{line}:{column}: {problem}")]
    Invalid {
        /// The file, as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there: the field, its value and what would be right.
        problem: String,
    },
    /// What is set beside the file is wrong.
    #[error("{origin}: {problem}")]
    Set {
        /// Where it was set: the variable, or the flag.
        origin: String,
        /// What is wrong with it: the field, its value and what would be right.
        problem: String,
    },
    /// There is no file, and nothing else says which kind of job it is.
    #[error("no settings: neither a file nor a `job_type` is given")]
    Nothing,
}

/// A problem on its way out of the tree: the place is set by the innermost node that has one, the
/// fields are added from the inside outwards.
#[derive(Debug)]
pub(super) struct Problem {
    at: Option<Mark>,
    fields: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Said of the field: "`cpus` must be …".
    Predicate(String),
    /// Said by itself: "`cpus`: …".
    Statement(String),
    UnknownField {
        name: String,
        known: &'static [&'static str],
    },
}

impl Problem {
    pub(super) fn new(at: Mark, text: impl fmt::Display) -> Self {
        Self { at: Some(at), fields: Vec::new(), kind: Kind::Statement(text.to_string()) }
    }

    fn without_place(kind: Kind) -> Self {
        Self { at: None, fields: Vec::new(), kind }
    }

    pub(super) fn or_at(mut self, mark: Mark) -> Self {
        self.at.get_or_insert(mark);
        self
    }

    pub(super) fn in_field(mut self, name: String) -> Self {
        self.fields.push(name);
        self
    }

    pub(super) fn at(&self) -> Mark {
        self.at.unwrap_or(Mark::start_of(0))
    }

    /// The field of the settings, not of a mapping in them, that is unknown.
    pub(super) fn unknown_field(&self) -> Option<&str> {
        match &self.kind {
            Kind::UnknownField { name, .. } if self.fields.is_empty() => Some(name),
            _ => None,
        }
    }

    pub(super) fn in_file(self, file: &str) -> ConfigError {
        let Mark { line, column, .. } = self.at();
        ConfigError::Invalid { file: file.to_owned(), line, column, problem: self.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.fields.iter().rev().map(String::as_str).collect::<Vec<_>>().join(".");
        match &self.kind {
            Kind::Predicate(text) if path.is_empty() => write!(f, "the file {text}"),
            Kind::Predicate(text) => write!(f, "`{path}` {text}"),
            Kind::Statement(text) if path.is_empty() => f.write_str(text),
            Kind::Statement(text) => write!(f, "`{path}`: {text}"),
            Kind::UnknownField { name, known } => {
                write!(f, "unknown field `{name}`")?;
                if !path.is_empty() {
                    write!(f, " in `{path}`")?;
                }
                match nearest(name, known) {
                    Some(near) => write!(f, ", did you mean `{near}`?"),
                    None => write!(f, ", expected one of `{}`", known.join("`, `")),
                }
            }
        }
    }
}

/// The known name that is a typing error or two away.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), other);
    let near = known.iter().map(|other| (distance(other), *other)).min()?;
    (near.0 <= 1.max(near.1.len() / 3)).then_some(near.1)
}

/// serde's names for what it expects, in the words of someone who writes YAML.
fn expected(expected: &dyn Expected) -> String {
    let name = expected.to_string();
    match name.as_str() {
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "i64" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text".to_owned(),
        "path string" => "a path".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        _ if name.starts_with("struct ") => "a mapping of settings".to_owned(),
        _ => name,
    }
}

fn got(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => crate::python::float(value),
        Unexpected::Str(value) => format!("the text {value:?}"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::NewtypeStruct => "a number beyond 64 bits".to_owned(),
        other => other.to_string(),
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::without_place(Kind::Statement(text.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        let text = format!("must be {}, got {}", expected(exp), got(unexpected));
        Self::without_place(Kind::Predicate(text))
    }

    fn invalid_value(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, exp)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::without_place(Kind::UnknownField { name: name.to_owned(), known })
    }
}
