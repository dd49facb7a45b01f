//! The values of a script, owned: from a file, or changed by a test.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};
use sortie_model::AttemptId;
use sortie_script::{Attempt, BatchScript, Environment, Jobs, ScriptError};

/// A file of `tests/batch`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Case {
    /// The number that is the first attempt's id.
    #[serde(skip)]
    pub(crate) first_id: u64,
    #[serde(deserialize_with = "in_order")]
    pub(crate) options: Vec<(String, Option<String>)>,
    pub(crate) early_term_seconds: u32,
    pub(crate) attempts: Vec<Element>,
    pub(crate) at_once: Option<u32>,
    pub(crate) directory: PathBuf,
    #[serde(deserialize_with = "pairs")]
    pub(crate) inherited: Vec<(OsString, OsString)>,
    #[serde(deserialize_with = "pairs")]
    pub(crate) set: Vec<(OsString, OsString)>,
    pub(crate) evaluator: Vec<(String, String)>,
    pub(crate) only_these: bool,
    pub(crate) modules: Vec<String>,
    pub(crate) activation: Activation,
    pub(crate) grace: f64,
    pub(crate) max_log_bytes: u64,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Element {
    pub(crate) candidate: PathBuf,
    pub(crate) results_dir: PathBuf,
    #[serde(default, deserialize_with = "words")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activation {
    None,
    Conda(String),
    Sourced(PathBuf),
}

fn in_order<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, Option<String>)>, D::Error> {
    let text = |value: serde_yaml::Value| value.as_str().map(str::to_owned);
    let mapping = serde_yaml::Mapping::deserialize(from)?;
    Ok(mapping.into_iter().map(|(name, value)| (text(name).unwrap(), text(value))).collect())
}

fn pairs<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(OsString, OsString)>, D::Error> {
    let pairs = Vec::<(String, String)>::deserialize(from)?;
    Ok(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<OsString>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.into_iter().map(Into::into).collect())
}

impl Default for Case {
    fn default() -> Self {
        let attempt = Element {
            candidate: "gen_7/main.py".into(),
            results_dir: "/results/7".into(),
            command: Vec::new(),
        };
        Self {
            first_id: 0xa0,
            options: Vec::new(),
            early_term_seconds: 0,
            attempts: vec![attempt],
            at_once: None,
            directory: "/work".into(),
            inherited: Vec::new(),
            set: Vec::new(),
            evaluator: Vec::new(),
            only_these: false,
            modules: Vec::new(),
            activation: Activation::None,
            grace: 5.0,
            max_log_bytes: 1 << 30,
        }
    }
}

impl Case {
    /// The ids of the attempts.
    pub(crate) fn ids(&self) -> Vec<AttemptId> {
        let id = |number| format!("{number:032x}").parse().unwrap();
        (self.first_id..).take(self.attempts.len()).map(id).collect()
    }

    pub(crate) fn render(&self) -> Result<String, ScriptError> {
        let ids = self.ids();
        let commands: Vec<_> = self.attempts.iter().map(Element::command).collect();
        let attempts: Vec<_> = std::iter::zip(&self.attempts, std::iter::zip(&ids, &commands))
            .map(|(element, (id, command))| Attempt {
                id: *id,
                candidate: &element.candidate,
                results_dir: &element.results_dir,
                // One for all, so that all that is left is in one place.
                state_dir: &element.results_dir,
                command,
                container: None,
            })
            .collect();
        let activation = match self.activation.clone() {
            Activation::None => sortie_model::Activation::None,
            Activation::Conda(name) => sortie_model::Activation::Conda(name),
            Activation::Sourced(file) => sortie_model::Activation::Sourced(file),
        };
        let script = BatchScript {
            version: "0.0.0",
            name: &ids.first().map_or_else(String::new, |id| id.name()),
            jobs: match attempts.as_slice() {
                [attempt] => Jobs::One(attempt),
                elements => Jobs::Array { elements, at_once: self.at_once },
            },
            options: &self.options,
            early_term_seconds: self.early_term_seconds,
            directory: &self.directory,
            environment: Environment {
                inherited: &self.inherited,
                set: &self.set,
                evaluator: &self.evaluator,
                only_these: self.only_these,
            },
            modules: &self.modules,
            activation: &activation,
            by_python: commands.iter().flatten().next().is_some_and(|program| program == "python"),
            grace: Duration::from_secs_f64(self.grace),
            max_log_bytes: self.max_log_bytes,
        };
        script.render()
    }
}

impl Element {
    /// The command given, or else the evaluator's.
    fn command(&self) -> Vec<OsString> {
        if !self.command.is_empty() {
            return self.command.clone();
        }
        let mut command = ["python", "evaluate.py", "--program_path"].map(OsString::from).to_vec();
        command.extend([self.candidate.clone().into(), "--results_dir".into()]);
        command.push(self.results_dir.clone().into());
        command
    }
}
