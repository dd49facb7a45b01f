//! Which variables of the environment are settings.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, sync::LazyLock};

use serde_json::Value;

use crate::{JobType, schema_of, yaml::nearest};

/// What the names of settings begin with, as variables.
const PREFIX: &str = "SORTIE_";
/// Variables of that beginning by which sortie's parts talk to each other, and to its tests. `CONFIG` names the file.
const OWN: [&str; 4] = ["ATTEMPT", "CONFIG", "DEMO", "WARDEN_OF"];
const OF_TESTS: &str = "TEST_";

/// What a variable whose name begins with `SORTIE_` is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// This setting, with dots between the levels.
    Setting(String),
    /// None, but its name is like this variable's.
    Misspelt { near: String },
    /// None.
    Unknown,
}

/// Whether the variable gives a setting to sortie, or names a file of them. Such a variable is for the launcher that is
/// started with it, and never handed on to its jobs: a launcher in a job would take it for its own.
pub fn is_setting(variable: &OsStr) -> bool {
    variable == "SORTIE_CONFIG" || matches!(look_up(variable), Some(Variable::Setting(_)))
}

/// What the variable is; `None` for one that is not about settings.
pub(crate) fn look_up(variable: &OsStr) -> Option<Variable> {
    let name = variable.as_bytes().strip_prefix(PREFIX.as_bytes())?;
    let Ok(name) = str::from_utf8(name) else { return Some(Variable::Unknown) };
    if OWN.contains(&name) || name.starts_with(OF_TESTS) {
        return None;
    }
    if let Some((setting, _)) = NAMES.iter().find(|(_, variable)| variable == name) {
        return Some(Variable::Setting(setting.clone()));
    }
    let known: Vec<_> = NAMES.iter().map(|(_, variable)| variable.to_lowercase()).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    Some(match nearest(name, &known) {
        Some(near) => Variable::Misspelt { near: format!("{PREFIX}{}", near.to_uppercase()) },
        None => Variable::Unknown,
    })
}

/// The names of all settings of a job type. The name of one in a mapping is `MAPPING.NAME`.
pub(crate) fn names_of(job_type: JobType) -> &'static [String] {
    static ALL: LazyLock<[Vec<String>; 4]> =
        LazyLock::new(|| JobType::ALL.map(|job_type| names_in(&schema_of(job_type))));
    let index = JobType::ALL.iter().position(|other| *other == job_type);
    index.map_or(&[], |index| ALL[index].as_slice())
}

/// The settings of all job types, and their variables' names without what all of them begin with.
static NAMES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut names: Vec<_> = JobType::ALL.into_iter().flat_map(names_of).cloned().collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (name.clone(), name.replace('.', "__").to_uppercase())).collect()
});

/// The names in the schema of a mapping, and of the mappings in it.
fn names_in(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for (name, of) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        names.push(name.clone());
        let choices = of.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        for schema in choices.chain([of]) {
            names.extend(names_in(schema).into_iter().map(|inner| format!("{name}.{inner}")));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variable: &str) -> Option<Variable> {
        look_up(OsStr::new(variable))
    }

    #[test]
    fn settings_and_others() {
        let setting = |name: &str| Some(Variable::Setting(name.to_owned()));
        assert_eq!(found("SORTIE_TIME"), setting("time"));
        assert_eq!(found("SORTIE_JOB_TYPE"), setting("job_type"));
        assert_eq!(found("SORTIE_LIMITS__GRACE_SECONDS"), setting("limits.grace_seconds"));
        assert_eq!(found("SORTIE_WARM__MAX_JOBS"), setting("warm.max_jobs"));
        assert_eq!(found("SORTIE_ENVIRONMENT__DENY"), setting("environment.deny"));
        let near = |name: &str| Some(Variable::Misspelt { near: name.to_owned() });
        assert_eq!(found("SORTIE_TMIE"), near("SORTIE_TIME"));
        assert_eq!(found("SORTIE_LIMITS_GRACE_SECONDS"), near("SORTIE_LIMITS__GRACE_SECONDS"));
        assert_eq!(found("SORTIE_time"), near("SORTIE_TIME"));
        // What Kubernetes adds where a service is called so.
        for foreign in ["SORTIE_SERVICE_HOST", "SORTIE_PORT_80_TCP_ADDR"] {
            assert_eq!(found(foreign), Some(Variable::Unknown), "{foreign}");
        }
        for own in ["SORTIE_ATTEMPT", "SORTIE_CONFIG", "SORTIE_TEST_SLURM_CONF", "HOME", "SORTIE"] {
            assert_eq!(found(own), None, "{own}");
        }
    }
}
