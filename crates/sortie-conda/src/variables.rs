//! The variables that an environment sets for itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::{CondaError, files};

/// What `conda env config vars unset` writes in the place of a value.
const UNSET: &str = "***unset***";

/// Those that activation itself sets; conda fails if an environment sets them too.
const RESERVED: [&str; 5] =
    ["PATH", "CONDA_PREFIX", "CONDA_SHLVL", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"];

/// The variables of the packages (`etc/conda/env_vars.d`, every file, by name) and over them those
/// of the environment (`conda-meta/state`); `None` for one that is to be taken out.
///
/// As in conda: names are in upper case, and a value `***unset***` takes back what a package sets,
/// so that the variable stays as it is outside; JSON's `null` takes it out.
pub(crate) fn of(prefix: &Path) -> Result<BTreeMap<String, Option<String>>, CondaError> {
    let mut variables = BTreeMap::new();
    for file in files::entries(&prefix.join("etc/conda/env_vars.d"))? {
        add(&mut variables, read(&file)?, &file)?;
    }
    let file = prefix.join("conda-meta/state");
    if let Some(own) = read(&file)?.remove("env_vars") {
        add(&mut variables, parsed(&file, serde_json::from_value(own))?, &file)?;
    }
    variables.retain(|_, value| value.as_deref() != Some(UNSET));
    Ok(variables)
}

/// The object in a file; an empty one if there is no file.
fn read(file: &Path) -> Result<Map<String, Value>, CondaError> {
    match files::read(file)? {
        Some(text) => parsed(file, serde_json::from_slice(&text)),
        None => Ok(Map::new()),
    }
}

fn parsed<T>(file: &Path, result: serde_json::Result<T>) -> Result<T, CondaError> {
    result.map_err(|error| CondaError::Variables { file: file.into(), problem: error.to_string() })
}

fn add(
    variables: &mut BTreeMap<String, Option<String>>,
    map: Map<String, Value>,
    file: &Path,
) -> Result<(), CondaError> {
    for (name, value) in map {
        let upper = name.to_uppercase();
        let value = checked(&upper, value).map_err(|problem| CondaError::Variable {
            file: PathBuf::from(file),
            name,
            problem,
        })?;
        variables.insert(upper, value);
    }
    Ok(())
}

/// The value as conda would export it, or what is wrong with it.
fn checked(name: &str, value: Value) -> Result<Option<String>, &'static str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || !name.chars().all(is_name)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err("is no name for a variable: letters, digits and `_` are");
    }
    if RESERVED.contains(&name) {
        return Err("is set by activation itself, so no environment can set it");
    }
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(_) | Value::Object(_) => return Err("is not text"),
    };
    if text.contains('\0') {
        return Err("has a NUL character, which no variable can carry");
    }
    Ok(Some(text))
}
