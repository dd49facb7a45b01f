//! The values of a script, as bash is given them.

use std::{
    ffi::OsStr,
    fmt::{Display, Write as _},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use sortie_model::Activation;

use super::{Attempt, BatchScript, Jobs, ScriptError};
use crate::{
    Container,
    container::{self, Value},
    local::with_slash,
    quote,
};

/// Linux passes no argument and no variable of more bytes, with the NUL at its end (`MAX_ARG_STRLEN`).
const LONGEST: usize = 128 << 10;

/// A value as one word of bash; `what` names it if it cannot be one.
pub(super) fn word(
    what: impl AsRef<OsStr>,
    value: impl AsRef<OsStr>,
) -> Result<String, ScriptError> {
    let (what, value) = (what.as_ref().display(), value.as_ref());
    if value.len() >= LONGEST {
        return Err(ScriptError::TooLong { what: what.to_string(), length: value.len() });
    }
    quote(value).map_err(|nul| ScriptError::Nul { what: what.to_string(), nul })
}

/// Adds all but the environment.
pub(super) fn add(
    script: &mut String,
    batch: &BatchScript<'_>,
    attempts: &[Attempt<'_>],
) -> Result<(), ScriptError> {
    script.push_str("\n# ---- What is run ----\n\n");
    match batch.jobs {
        Jobs::One(attempt) => add_attempt(script, attempt, "")?,
        Jobs::Array { .. } => {
            script.push_str("case ${SLURM_ARRAY_TASK_ID-} in\n");
            for (index, attempt) in attempts.iter().enumerate() {
                // Writing to a string does not fail, here and below.
                let _ = writeln!(script, "  {index})");
                add_attempt(script, attempt, "    ")?;
                script.push_str("    ;;\n");
            }
            script.push_str(NO_ELEMENT);
            if let Some(first) = attempts.first() {
                let words = first.state_dir.join(super::slurms_words(first.id, ""));
                let words = word("the state dir", words)?;
                set(script, "words", format_args!("{words}$SLURM_ARRAY_TASK_ID"));
            }
        }
    }
    let absolute = absolute("the working directory", batch.directory)?;
    set(script, "directory", word("the working directory", absolute)?);
    set(script, "grace", batch.grace.as_millis().div_ceil(100));
    script.insert_str(script.len() - 1, " # tenths of a second");
    set(script, "max_log_bytes", batch.max_log_bytes.min(i64::MAX.unsigned_abs()));
    set(script, "only_these", u8::from(batch.environment.only_these));
    set_array(script, "modules", "a module", batch.modules)?;
    if let Some(container) = attempts.first().and_then(|attempt| attempt.container) {
        return add_container(script, container);
    }
    set(script, "by_python", u8::from(batch.by_python));
    match batch.activation {
        Activation::None => script.push_str("sortie_activate=()\n"),
        Activation::Conda(name) if name.starts_with('-') => {
            return Err(ScriptError::CondaEnvironment { name: name.clone() });
        }
        Activation::Conda(name) => {
            let words = [OsStr::new("conda"), name.as_ref()];
            set_array(script, "activate", "the Conda environment", &words)?;
        }
        Activation::Sourced(file) => {
            let words = ["source".into(), with_slash(file)];
            set_array(script, "activate", "the activation script", &words)?;
        }
    }
    Ok(())
}

const NO_ELEMENT: &str = r#"  *)
    echo "sortie: this job array has no element ${SLURM_ARRAY_TASK_ID-}" >&2
    exit 125
    ;;
esac
"#;

fn add_attempt(
    script: &mut String,
    attempt: &Attempt<'_>,
    indent: &str,
) -> Result<(), ScriptError> {
    let program = attempt.command.first().map_or(OsStr::new(""), |program| program);
    if program.is_empty() || program.as_bytes().contains(&b'=') {
        return Err(ScriptError::Program { program: program.to_owned() });
    }
    script.push_str(indent);
    set(script, "attempt", attempt.id);
    script.push_str(indent);
    let results_dir = absolute("the results dir", attempt.results_dir)?;
    set(script, "results", word("the results dir", results_dir)?);
    script.push_str(indent);
    let state_dir = absolute("the state dir", attempt.state_dir)?;
    set(script, "records", word("the state dir", state_dir)?);
    script.push_str(indent);
    if let Some(container) = attempt.container {
        set_array(script, "container", "a flag of the engine", &container.flags()?)?;
        script.push_str(indent);
        set(script, "probed_dir", word("the results dir", container.results_dir())?);
        script.push_str(indent);
        attempt.command.iter().try_for_each(|word| container::check("an argument", word))?;
    }
    set_array(script, "command", "an argument of the evaluator", attempt.command)
}

/// Adds what is the same for the containers of all attempts.
fn add_container(script: &mut String, container: &Container<'_>) -> Result<(), ScriptError> {
    set(script, "engine", word("the engine", &container.spec.engine)?);
    for (name, value) in container.values()? {
        match value {
            Value::Plain(word) => set(script, name, word),
            Value::Text(what, text) => set(script, name, word(what, text)?),
            Value::Path(_, None) => set(script, name, "''"),
            Value::Path(what, Some(path)) => set(script, name, word(what, absolute(what, path)?)?),
            Value::Array(what, texts) => set_array(script, name, what, &texts)?,
        }
    }
    set(script, "trial", container.trial);
    Ok(())
}

fn absolute<'a>(what: &'static str, path: &'a Path) -> Result<&'a Path, ScriptError> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(ScriptError::Relative { what, path: path.to_owned() })
}

fn set(script: &mut String, name: &str, value: impl Display) {
    let _ = writeln!(script, "sortie_{name}={value}");
}

fn set_array(
    script: &mut String,
    name: &str,
    what: &str,
    values: &[impl AsRef<OsStr>],
) -> Result<(), ScriptError> {
    let _ = write!(script, "sortie_{name}=(");
    for (index, value) in values.iter().enumerate() {
        script.push_str(if index == 0 { "" } else { " " });
        script.push_str(&word(what, value)?);
    }
    script.push_str(")\n");
    Ok(())
}
