#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate knows files and the environment map it is given: no processes, no environment of its
//! own, no jobs, nothing async. Sourcing the hooks is for others.
//!
//! # Why not `rattler_shell`
//!
//! Version 0.29.7 and what it needs are 144 crates, tokio and a pseudo-terminal among them, for a
//! few hundred lines here; it does not resolve names. Its activation is a shell script, to be run
//! before the environment is known, with values of UTF-8 only and with `$` in them expanded by
//! bash, so that `$(…)` in a path or value is run. It also differs from conda where programs can
//! see it: no `CONDA_PREFIX_N`, a convention of its own for what a level hides, `PATH` rearranged.

mod activate;
mod condarc;
mod error;
mod files;
mod find;
mod hooks;
mod paths;
mod root;
mod search_path;
mod variables;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

pub use activate::{Activation, activate};
pub use error::CondaError;
pub use find::find;

/// An environment: names and values.
pub type Env = BTreeMap<OsString, OsString>;

/// The variable, where it is set to anything; conda takes empty for unset.
fn value<'a>(env: &'a Env, name: &str) -> Option<&'a OsStr> {
    env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
}
