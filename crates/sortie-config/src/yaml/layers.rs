//! Settings from several places, the later winning.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use indexmap::IndexMap;

use super::{
    error::{ConfigError, Problem},
    file::{self, Document},
    kind::{self, Said},
    node::{Mark, Node},
};
use crate::{
    JobConfig,
    variables::{self, Variable},
};

/// No settings are longer: `/dev/zero` is.
const MAX_BYTES: u64 = 1 << 20;

/// Settings as people give them: a file, over it variables of the environment, over these what is set by hand.
///
/// ```
/// use sortie_config::{Layers, JobConfig};
///
/// let mut layers = Layers::text("job_type: local\ntime: 30\n", "job.yaml")?;
/// layers.variables([("SORTIE_LIMITS__GRACE_SECONDS".into(), "2".into())])?;
/// layers.set("--set", "time=00:05:00")?;
/// let error = layers.clone().set("--set", "tmie=5").and_then(|layers| layers.config()).unwrap_err();
/// assert_eq!(error.to_string(), "--set tmie: unknown field `tmie`, did you mean `time`?");
/// let effective = layers.effective()?;
/// assert_eq!(effective.config.spec().time_limit.map(|limit| limit.as_secs()), Some(300));
/// assert_eq!(effective.origins["time"], ["--set time"]);
/// # Ok::<(), sortie_config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The file's name and what is in it.
    file: Option<(String, Document)>,
    set: Vec<Set>,
}

/// A setting of a variable or of `--set`.
#[derive(Clone, Debug)]
struct Set {
    origin: String,
    name: String,
    value: Node,
    /// Whether it is meant for jobs of any type, and so no mistake where this type has no such setting.
    for_any: bool,
}

/// The settings that hold, and where they come from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The settings.
    pub config: JobConfig,
    /// Where each that has been given comes from: `job.yaml:3`, `SORTIE_TIME`, `--set time`. Several where a mapping is from several.
    pub origins: IndexMap<String, Vec<String>>,
    /// What the user should know about how the settings were read: a class that was known by its name alone, say.
    pub notices: Vec<String>,
}

impl Layers {
    /// Of the settings in a text; `file` is how errors call it. See [`JobConfig::from_yaml`].
    pub fn text(text: &str, file: &str) -> Result<Self, ConfigError> {
        let document = Document::parse(text).map_err(|problem| problem.in_file(file))?;
        Ok(Self { file: Some((file.to_owned(), document)), set: Vec::new() })
    }

    /// Of the settings in a file of UTF-8 YAML of at most 1 MiB. A pipe is as good as a file.
    pub fn file(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path);
        let text = text.map_err(|cause| ConfigError::Read { file: path.to_owned(), cause })?;
        Self::text(&text, &path.display().to_string())
    }

    /// Adds what variables of the environment set: `SORTIE_TIME` is the setting `time`, `SORTIE_LIMITS__GRACE_SECONDS` is
    /// `limits.grace_seconds`. An empty one sets nothing, and one for a setting that only other job types have is left alone.
    ///
    /// The answer is the names that begin with `SORTIE_` and are unlike any setting. One that is like a setting's is an error,
    /// as it is misspelt.
    pub fn variables(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Vec<String>, ConfigError> {
        let mut unknown = Vec::new();
        for (variable, value) in variables {
            match variables::look_up(&variable) {
                Some(Variable::Setting(name)) if !value.is_empty() => {
                    let origin = variable.to_string_lossy().into_owned();
                    let refuse = |problem: &str| ConfigError::Set {
                        origin: origin.clone(),
                        problem: problem.into(),
                    };
                    let value = value.to_str().ok_or_else(|| refuse("its value is not UTF-8"))?;
                    self.add(origin, &name, value, true)?;
                }
                Some(Variable::Misspelt { near }) => {
                    let origin = variable.to_string_lossy().into_owned();
                    let problem = format!("there is no such setting, did you mean `{near}`?");
                    return Err(ConfigError::Set { origin, problem });
                }
                Some(Variable::Unknown) => unknown.push(variable.to_string_lossy().into_owned()),
                Some(Variable::Setting(_)) | None => {}
            }
        }
        unknown.sort();
        Ok(unknown)
    }

    /// Adds one by hand, as in `time=00:05:00`; `by` is how errors call the hand.
    ///
    /// A name may have dots for the levels of mappings (`environment.deny`, `sbatch_args.comment`). A value that begins with
    /// `[`, `{` or a quote is YAML; any other is one unquoted value, whatever characters it has.
    pub fn set(&mut self, by: &str, assignment: &str) -> Result<&mut Self, ConfigError> {
        let refuse = |problem| ConfigError::Set { origin: by.to_owned(), problem };
        let name = assignment.trim();
        let Some((name, value)) = assignment.split_once('=') else {
            let problem = if name.is_empty() {
                "give a setting and its value, as in `time=30`".to_owned()
            } else {
                format!("`{name}` has no value, write `{name}=VALUE`")
            };
            return Err(refuse(problem));
        };
        if name.trim().is_empty() {
            let problem = format!("`{assignment}` names no setting, write NAME=VALUE");
            return Err(refuse(problem));
        }
        let name = name.trim();
        self.add(format!("{by} {name}"), name, value, false)?;
        Ok(self)
    }

    fn add(
        &mut self,
        origin: String,
        name: &str,
        value: &str,
        for_any: bool,
    ) -> Result<(), ConfigError> {
        let number = self.set.len() + 1;
        let value = value.trim();
        let node = if value.starts_with(['[', '{', '"', '\'']) {
            Node::parse(value, number)
        } else {
            Ok(Node::plain(value, Mark::start_of(number)))
        };
        let refuse = |problem: Problem| ConfigError::Set {
            origin: origin.clone(),
            problem: problem.to_string(),
        };
        let value = node.map_err(refuse)?;
        self.set.push(Set { origin, name: name.to_owned(), value, for_any });
        Ok(())
    }

    /// The settings that hold, checked.
    pub fn config(&self) -> Result<JobConfig, ConfigError> {
        self.effective().map(|effective| effective.config)
    }

    /// The same, and where they come from.
    pub fn effective(&self) -> Result<Effective, ConfigError> {
        if self.file.is_none() && !self.set.iter().any(|set| set.name == "job_type") {
            return Err(ConfigError::Nothing);
        }
        let read = || {
            let (section, said) = self.merged()?;
            Ok((file::read(&section, &said)?, section, said.notices))
        };
        let (config, section, notices) = read().map_err(|problem: Problem| self.locate(problem))?;
        Ok(Effective { config, origins: self.origins(&section), notices })
    }

    fn locate(&self, problem: Problem) -> ConfigError {
        match (problem.at().text.checked_sub(1), &self.file) {
            (None, Some((file, _))) => problem.in_file(file),
            (None, None) => ConfigError::Nothing,
            (Some(number), _) => {
                let origin = self.set[number].origin.clone();
                ConfigError::Set { origin, problem: problem.to_string() }
            }
        }
    }

    /// The file's section, with all that is set beside it, and the kind of job.
    fn merged(&self) -> Result<(Node, Said), Problem> {
        let mut document =
            self.file.as_ref().map_or_else(Document::none, |(_, document)| document.clone());
        for set in self.set.iter().filter(|set| set.name == "job_type") {
            put(&mut document, set);
        }
        let mut said = kind::said(&document)?;
        if let Some(set) = self.set.iter().rfind(|set| set.name == "job_type") {
            said.by = Some(format!("`{}`", set.origin));
        }
        for set in self.set.iter().filter(|set| set.name != "job_type") {
            if !set.for_any || variables::names_of(said.job_type).contains(&set.name) {
                put(&mut document, set);
            }
        }
        Ok((document.resolved()?, said))
    }

    fn origins(&self, section: &Node) -> IndexMap<String, Vec<String>> {
        let of = |(key, value): &(Node, Node)| {
            let mut origins: Vec<String> = Vec::new();
            for Mark { text, .. } in [vec![key.at], value.places()].concat() {
                let origin = match (text.checked_sub(1), &self.file) {
                    (Some(number), _) => self.set[number].origin.clone(),
                    (None, Some((file, _))) => format!("{file}:{}", key.at.line),
                    (None, None) => continue,
                };
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
            (key.as_text().unwrap_or_default().to_owned(), origins)
        };
        section.entries().iter().map(of).collect()
    }
}

/// Puts a setting into a section. The keys of mappings that are free may have dots themselves.
fn put(document: &mut Document, set: &Set) {
    let levels = if set.name.starts_with("environment.") { 3 } else { 2 };
    let keys: Vec<_> = set.name.splitn(levels, '.').collect();
    document.put(&keys, set.value.clone());
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is longer than 1 MiB, as no settings are",
        ));
    }
    Ok(text)
}
