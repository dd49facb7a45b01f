//! The environment of the job: what is exported by the script, and what cannot be.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

use sortie_model::names;

use super::{
    place::{is_of_the_launcher, is_the_users},
    values::word,
};
use crate::ScriptError;

/// The environment of a job, apart from what Slurm itself sets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment<'a> {
    /// Of the launcher's environment, what is to reach the job. Variables that tell of the launcher's own place are left out,
    /// which would be wrong in the job's: see [`is_of_the_launcher`]. Of a variable that the job has when it starts, as Slurm
    /// or the site's `TaskProlog` sets it, the job's value counts, but for search paths and what else is the user's own (`HOME`,
    /// `LANG`, `PYTHON…` and the like).
    pub inherited: &'a [(OsString, OsString)],
    /// What the user sets. Wins over all else, also where it names a place.
    pub set: &'a [(OsString, OsString)],
    /// What the evaluator is told; set once more after the activation, which might change it.
    pub evaluator: &'a [(String, String)],
    /// Whether nothing else of what the job has when it starts is left: sites add to it, and on releases of Slurm before 23.02
    /// it has a few variables of the launcher's, or, by a plain `sbatch` of the script, the user's login environment. What Slurm
    /// itself sets stays, and so do the site's `TMPDIR` and the like, which belong to the job's place.
    pub only_these: bool,
}

/// Variables that bash itself acts on, or that are not what they are set to.
const OF_BASH: [&[u8]; 43] = [
    b"_",
    b"PWD",
    b"OLDPWD",
    b"SHLVL",
    b"IFS",
    b"ENV",
    b"CDPATH",
    b"PS4",
    b"TMOUT",
    b"FUNCNEST",
    b"GLOBIGNORE",
    b"EXECIGNORE",
    b"POSIXLY_CORRECT",
    b"POSIX_PEDANTIC",
    b"CHILD_MAX",
    b"FIGNORE",
    b"UID",
    b"EUID",
    b"PPID",
    b"GROUPS",
    b"DIRSTACK",
    b"FUNCNAME",
    b"PIPESTATUS",
    b"SHELLOPTS",
    b"LINENO",
    b"RANDOM",
    b"SRANDOM",
    b"SECONDS",
    b"EPOCHSECONDS",
    b"EPOCHREALTIME",
    b"HISTCMD",
    b"OPTIND",
    b"OPTERR",
    b"OPTARG",
    b"COPROC",
    b"MAPFILE",
    b"REPLY",
    b"READLINE_LINE",
    b"HOSTNAME",
    b"HISTFILE",
    b"HISTSIZE",
    b"HISTFILESIZE",
    names::ATTEMPT.as_bytes(),
];

/// Whether bash can hold the variable and does nothing of its own with it.
fn is_exportable(name: &[u8]) -> bool {
    let start = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    start
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && !name.starts_with(b"BASH")
        && !name.starts_with(b"COMP_")
        && !name.starts_with(b"sortie_")
        && !name.starts_with(b"READLINE_")
        && !OF_BASH.contains(&name)
}

/// Adds the environment for an evaluator that runs on the node: `sortie_odd`, an array of what goes
/// round bash, and the two functions that export the rest.
pub(super) fn add(script: &mut String, environment: &Environment<'_>) -> Result<(), ScriptError> {
    let all = merged(environment)?;
    add_odd(script, &all)?;
    add_exports(script, environment, &all)?;
    script.push_str("sortie_evaluator_environment() {\n");
    let set_by_user = |name: &str| environment.set.iter().any(|(set, _)| set == name);
    for (name, value) in environment.evaluator.iter().filter(|(name, _)| !set_by_user(name)) {
        if !is_exportable(name.as_bytes()) {
            return Err(ScriptError::VariableName { name: name.into() });
        }
        add_export(script, name.as_ref(), value.as_ref())?;
    }
    script.push_str("  return 0\n}\n");
    Ok(())
}

/// Adds the environment for the command of a container engine, of what bash can hold.
pub(super) fn add_for_engine(
    script: &mut String,
    environment: &Environment<'_>,
) -> Result<(), ScriptError> {
    add_exports(script, environment, &merged(environment)?)
}

fn add_odd(script: &mut String, all: &[(&OsStr, &OsStr)]) -> Result<(), ScriptError> {
    script.push_str(
        "# For the evaluator alone: what bash cannot hold or would act on.\nsortie_odd=(",
    );
    let mut separator = "";
    for &(name, value) in all.iter().filter(|(name, _)| !is_exportable(name.as_bytes())) {
        script.push_str(separator);
        script.push_str(&word(name, [name, OsStr::new("="), value].join(OsStr::new("")))?);
        separator = " ";
    }
    script.push_str(")\n");
    Ok(())
}

fn add_exports(
    script: &mut String,
    environment: &Environment<'_>,
    all: &[(&OsStr, &OsStr)],
) -> Result<(), ScriptError> {
    script.push_str("sortie_environment() {\n");
    let set_by_user = |name: &OsStr| environment.set.iter().any(|(set, _)| set == name);
    for &(name, value) in all.iter().filter(|(name, _)| is_exportable(name.as_bytes())) {
        if set_by_user(name) || is_the_users(name) {
            add_export(script, name, value)?;
        } else {
            add_inherited(script, name, value)?;
        }
    }
    script.push_str("  return 0\n}\n");
    Ok(())
}

/// The inherited variables and those that are set, each name once: it has its first place and its last value.
fn merged<'a>(environment: &Environment<'a>) -> Result<Vec<(&'a OsStr, &'a OsStr)>, ScriptError> {
    let mut all: Vec<(&OsStr, &OsStr)> = Vec::with_capacity(environment.inherited.len());
    let mut places = HashMap::with_capacity(environment.inherited.len());
    let inherited =
        environment.inherited.iter().filter(|(name, value)| !is_of_the_launcher(name, value));
    for (name, value) in inherited.chain(environment.set) {
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(ScriptError::VariableName { name: name.clone() });
        }
        let place = *places.entry(name.as_os_str()).or_insert(all.len());
        match all.get_mut(place) {
            Some(pair) => pair.1 = value,
            None => all.push((name, value)),
        }
    }
    Ok(all)
}

fn add_export(script: &mut String, name: &OsStr, value: &OsStr) -> Result<(), ScriptError> {
    script.push_str("  export ");
    // It is exportable, and so it is text.
    script.push_str(name.to_str().unwrap_or_default());
    script.push('=');
    if !value.is_empty() {
        script.push_str(&word(name, value)?);
    }
    script.push_str(" || return\n");
    Ok(())
}

fn add_inherited(script: &mut String, name: &OsStr, value: &OsStr) -> Result<(), ScriptError> {
    script.push_str("  sortie_inherit ");
    script.push_str(name.to_str().unwrap_or_default());
    script.push(' ');
    script.push_str(&word(name, value)?);
    script.push_str(" || return\n");
    Ok(())
}
