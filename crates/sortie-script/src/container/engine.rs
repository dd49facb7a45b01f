//! What differs between engines.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    path::Path,
};

use sortie_model::EngineKind;

use super::{Container, ContainerError, apptainer::Apptainer, docker::Docker, flags::Syntax};

/// How an engine of this kind is spoken to.
pub(super) fn dialect(kind: EngineKind) -> &'static dyn Dialect {
    match kind {
        EngineKind::Docker => &Docker,
        EngineKind::Apptainer => &Apptainer,
    }
}

/// How an engine is spoken to: all that a script for it has of its own.
pub(super) trait Dialect {
    /// The text of the script: what does the work, and asks for the values below.
    fn text(&self) -> &'static str;

    /// How it reads the user's flags.
    fn syntax(&self) -> &'static Syntax;

    /// The arguments that are known before there is a node, each attempt's own.
    fn flags(&self, container: &Container<'_>) -> Result<Vec<String>, ContainerError>;

    /// The results dir as something in the container is told it.
    fn results_dir(&self, container: &Container<'_>) -> OsString;

    /// What its text asks for beside the flags, by the name without `sortie_`; the same for all attempts.
    fn values<'a>(&self, container: &'a Container<'a>) -> Result<Values<'a>, ContainerError>;
}

/// Values of a script, by name.
pub(crate) type Values<'a> = Vec<(&'static str, Value<'a>)>;

/// One value, as a script is given it.
pub(crate) enum Value<'a> {
    /// A number, or a word of which it is known that it needs no quotes.
    Plain(String),
    /// A text; the first names it where it cannot be one.
    Text(&'static str, Cow<'a, OsStr>),
    /// A path that has to be absolute, or none.
    Path(&'static str, Option<&'a Path>),
    /// Any number of texts.
    Array(&'static str, Vec<Cow<'a, OsStr>>),
}
