//! The environment of commands.

use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use crate::wire::{self, HasNul};

/// The whole environment of a command: names and values, in this order. The commands that use it
/// share it, and it is made ready for `execve(2)` once, not for each of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Environment(Arc<Shared>);

#[derive(PartialEq, Eq)]
struct Shared {
    variables: Vec<(OsString, OsString)>,
    strings: Result<Vec<u8>, HasNul>,
}

impl Environment {
    /// Each variable as `NAME=value`, ended by a NUL.
    pub(crate) fn strings(&self) -> Result<&[u8], HasNul> {
        self.0.strings.as_deref().map_err(Clone::clone)
    }
}

impl From<Vec<(OsString, OsString)>> for Environment {
    fn from(variables: Vec<(OsString, OsString)>) -> Self {
        let mut strings = Vec::new();
        let pushed = variables.iter().try_for_each(|(name, value)| {
            wire::push(&mut strings, &[name.as_bytes(), b"=", value.as_bytes()])
        });
        Self(Arc::new(Shared { variables, strings: pushed.map(|()| strings) }))
    }
}

impl<const N: usize> From<[(OsString, OsString); N]> for Environment {
    fn from(variables: [(OsString, OsString); N]) -> Self {
        Vec::from(variables).into()
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Vec::from_iter(variables).into()
    }
}

impl Default for Environment {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl Deref for Environment {
    type Target = [(OsString, OsString)];

    fn deref(&self) -> &Self::Target {
        &self.0.variables
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.variables.fmt(f)
    }
}
