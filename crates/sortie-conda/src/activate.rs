//! What activating an environment changes.
//!
//! The rules are those of conda 25 (its `conda/activate.py`, `_build_activate_stack` and
//! `build_reactivate` for a POSIX shell) with its default settings.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::{
    CondaError, Env, find::is_environment, hooks, root, search_path::SearchPath, value, variables,
};

/// What activating an environment changes, to be done in the order of the fields: a hook of the
/// environment that is left may need the variables as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// Scripts of the environment that is left, to be sourced by a POSIX shell.
    pub leave: Vec<PathBuf>,
    /// Variables to take out; each is in the environment it was computed for.
    pub unset: Vec<OsString>,
    /// Variables to put in, sorted by name. The names are such as bash can export.
    pub set: Vec<(OsString, OsString)>,
    /// Scripts of the environment that is entered, to be sourced by a POSIX shell.
    pub enter: Vec<PathBuf>,
}

impl Activation {
    /// Changes the variables in `env`: all of the activation, if there are no scripts.
    pub fn apply(&self, env: &mut Env) {
        for name in &self.unset {
            env.remove(name);
        }
        env.extend(self.set.iter().cloned());
    }

    /// Whether there are scripts to source, so that a shell is needed.
    pub fn has_scripts(&self) -> bool {
        !self.leave.is_empty() || !self.enter.is_empty()
    }
}

/// What `conda activate PREFIX` would do in a shell with this environment.
///
/// - `PATH`: `PREFIX/bin` in front, and behind it `condabin` if none is there; or, where another
///   environment is active, in its place. With `CONDA_PREFIX`, `CONDA_DEFAULT_ENV`,
///   `CONDA_PROMPT_MODIFIER` (programs can see it; `PS1` is left alone), `CONDA_SHLVL`, and
///   `CONDA_PREFIX_N` for the environment that was active.
/// - `CONDA_EXE`, `CONDA_PYTHON_EXE`, `_CONDA_EXE` and `_CONDA_ROOT`, if an installation of conda is
///   known; `_CE_M` and `_CE_CONDA`, which conda empties, are taken out.
/// - The variables that packages (`etc/conda/env_vars.d`) and the environment (`conda-meta/state`)
///   set; what they hide is kept in `__CONDA_SHLVL_N_NAME`.
///
/// The prefix that is active already is activated again as conda does it: `PATH` and the scripts,
/// no deeper level, and no variables of its own.
///
/// `prefix` is absolute, as [`find`](crate::find) gives it.
///
/// # Errors
///
/// No environment there; a file of it that conda could not read either, or whose variables cannot
/// be set; a `CONDA_SHLVL` that is not a number; a colon in the prefix.
pub fn activate(prefix: &Path, env: &Env) -> Result<Activation, CondaError> {
    if !is_environment(prefix) {
        let name = prefix.display().to_string();
        return Err(CondaError::NotFound { name, looked: vec![prefix.into()] });
    }
    let level = level(env)?;
    let active = value(env, "CONDA_PREFIX").map(Path::new).filter(|_| level > 0);
    let roots = root::prefixes(env);
    let again = active == Some(prefix);

    let mut changes = if again { Changes::default() } else { own_variables(prefix, env, level)? };
    let path = SearchPath::new(value(env, "PATH"));
    let path = match level {
        0 => path.enter(prefix, root::with_conda(&roots)),
        _ => path.replace(active, prefix),
    };
    changes.set("PATH", path.join(prefix)?);
    let mut name = default_env(prefix, &roots);
    if again {
        changes.set("CONDA_SHLVL", level.to_string());
        name = value(env, "CONDA_DEFAULT_ENV").unwrap_or(name);
    } else {
        changes.set("CONDA_SHLVL", (level + 1).to_string());
        changes.set("CONDA_PREFIX", prefix);
        changes.set("CONDA_DEFAULT_ENV", name);
        if let Some(active) = active {
            changes.set(&format!("CONDA_PREFIX_{level}"), active);
        }
    }
    changes.set("CONDA_PROMPT_MODIFIER", ["(".as_ref(), name, ") ".as_ref()].join(OsStr::new("")));
    if let Some(root) = root::with_conda(&roots) {
        changes.know(root);
    }
    let leave = active.map_or(Ok(Vec::new()), hooks::deactivate)?;
    let (unset, set) = changes.split(env);
    Ok(Activation { leave, unset, set, enter: hooks::activate(prefix)? })
}

/// How many activations deep the environment is.
fn level(env: &Env) -> Result<u32, CondaError> {
    let Some(value) = value(env, "CONDA_SHLVL") else { return Ok(0) };
    let text = value.to_str().map(str::trim);
    let level = text.and_then(|text| if text.is_empty() { Some(0) } else { text.parse().ok() });
    // The next one must be a number too.
    level.filter(|&level| level < u32::MAX).ok_or_else(|| CondaError::Level { value: value.into() })
}

/// What conda calls the environment: `base`, its name, or the path of one that has no name.
fn default_env<'a>(prefix: &'a Path, roots: &[PathBuf]) -> &'a OsStr {
    let named = prefix.parent().is_some_and(|parent| parent.ends_with("envs"));
    match prefix.file_name() {
        _ if roots.iter().any(|root| root == prefix) => "base".as_ref(),
        Some(name) if named => name,
        _ => prefix.as_os_str(),
    }
}

fn own_variables(prefix: &Path, env: &Env, level: u32) -> Result<Changes, CondaError> {
    let mut changes = Changes::default();
    for (name, value) in variables::of(prefix)? {
        if let Some(hidden) = env.get(OsStr::new(&name)) {
            changes.set(&format!("__CONDA_SHLVL_{level}_{name}"), hidden);
        }
        changes.0.insert(name.into(), value.map(OsString::from));
    }
    Ok(changes)
}

/// Variables and what becomes of them; the last word counts.
#[derive(Default)]
struct Changes(BTreeMap<OsString, Option<OsString>>);

impl Changes {
    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.insert(name.into(), Some(value.into()));
    }

    /// Where conda is, for programs that call it.
    fn know(&mut self, root: &Path) {
        self.set("CONDA_EXE", root.join("bin/conda"));
        self.set("_CONDA_EXE", root.join("bin/conda"));
        self.set("CONDA_PYTHON_EXE", root.join("bin/python"));
        self.set("_CONDA_ROOT", root);
        self.0.extend(["_CE_M", "_CE_CONDA"].map(|name| (name.into(), None)));
    }

    /// What to take out of this environment, and what to put in.
    fn split(self, env: &Env) -> (Vec<OsString>, Vec<(OsString, OsString)>) {
        let (mut unset, mut set) = (Vec::new(), Vec::new());
        for (name, value) in self.0 {
            match value {
                Some(value) => set.push((name, value)),
                None if env.contains_key(&name) => unset.push(name),
                None => {}
            }
        }
        (unset, set)
    }
}
