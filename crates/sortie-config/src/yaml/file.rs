//! Which part of a file holds the settings, and the settings in it.

use std::path::Path;

use serde::Deserialize;

use super::{
    error::{ConfigError, Problem},
    interpolation,
    kind::{self, Said},
    layers::Layers,
    node::{Content, Mark, Node},
};
use crate::{JobConfig, JobType};

/// Keys under which the reference's files hold the settings, the one it reads first. `shinka_run` reads `job` as well.
const SECTIONS: [&str; 2] = ["job_config", "distributed_job_config"];

impl JobConfig {
    /// Reads and checks settings; `file` is how errors call the text.
    ///
    /// Ours name their kind as `job_type: slurm_conda` beside the fields. The reference's own files
    /// load too: the class under `_target_`, the fields beside it, both perhaps under `job_config`,
    /// `distributed_job_config` or `job`, where whatever else the file holds is left alone and `${path}`
    /// stands for the value at that path of the same file. Where no class is named the kind is that of `evo_config.job_type`
    /// (or `evolution_config.job_type`, `evo.job_type`), and `local` where nothing says it, as for `shinka_run`.
    ///
    /// ```
    /// use sortie_config::{JobConfig, JobType};
    ///
    /// let text = "_target_: shinka.launch.SlurmCondaJobConfig\ncpus: 4\ntme: 30\n";
    /// let error = JobConfig::from_yaml(text, "job.yaml").unwrap_err();
    /// assert_eq!(error.to_string(), "job.yaml:3:1: unknown field `tme`, did you mean `time`?");
    /// ```
    pub fn from_yaml(text: &str, file: &str) -> Result<Self, ConfigError> {
        Layers::text(text, file)?.config()
    }

    /// Reads and checks the settings in a file of UTF-8 YAML of at most 1 MiB; see [`JobConfig::from_yaml`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Layers::file(path)?.config()
    }
}

/// A file, and where its settings are.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) part: Part,
    /// The settings: references in them are as they were.
    pub(super) section: Node,
}

/// The part of a file that holds the settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What is under this key.
    Section(&'static str),
    /// None: it is about a job whose settings are the defaults.
    Nothing,
}

impl Document {
    /// Of a text.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let root = Node::parse(text, 0)?;
        let part = part(&root)?;
        let section = match part {
            Part::Whole => root.clone(),
            Part::Nothing => Node::mapping(Vec::new(), root.at),
            Part::Section(name) => {
                let section = interpolation::follow(root.get(name).unwrap_or(&root), &root);
                let empty = || Node::mapping(Vec::new(), section.at);
                match &section.content {
                    Content::Mapping(_) => section.clone(),
                    _ if section.is_null() => empty(),
                    // Whatever is wrong with it.
                    _ => interpolation::resolve(section, &root),
                }
            }
        };
        Ok(Self { root, part, section })
    }

    /// Where there is no file.
    pub(super) fn none() -> Self {
        let empty = || Node::mapping(Vec::new(), Mark::start_of(0));
        Self { root: empty(), part: Part::Whole, section: empty() }
    }

    /// Puts a setting into the section, and into what it refers to on the way.
    pub(super) fn put(&mut self, keys: &[&str], value: Node) {
        for depth in 1..keys.len() {
            let on_the_way =
                keys[..depth].iter().try_fold(&self.section, |node, key| node.get(key));
            let Some(node) = on_the_way else { break };
            let target = interpolation::follow(node, &self.root);
            if !std::ptr::eq(node, target) {
                let target = target.clone();
                self.section.put(&keys[..depth], target);
            }
        }
        self.section.put(keys, value);
    }

    /// The settings with what they refer to, and nothing wrong in them.
    pub(super) fn resolved(&self) -> Result<Node, Problem> {
        let mut section = self.section.clone();
        if let Part::Section(name) = self.part {
            let mut root = self.root.clone();
            root.put(&[name], section.clone());
            section = interpolation::resolve(&section, &root);
        } else if section.get("_target_").is_some() {
            section = interpolation::resolve(&section, &self.root);
        }
        kind::understand_tag(&mut section);
        section.check()?;
        Ok(section)
    }
}

fn part(root: &Node) -> Result<Part, Problem> {
    let ours = root.get("job_type").is_some() || root.get("_target_").is_some();
    let job = root
        .get("job")
        .filter(|job| !ours && job.is_null() || matches!(job.content, Content::Mapping(_)));
    let mut sections = SECTIONS.into_iter().filter(|name| root.get(name).is_some());
    match (sections.next(), job) {
        (Some("job_config"), Some(job)) => {
            let text = "both `job_config` and `job` hold settings, keep one of them";
            Err(Problem::new(job.at, text))
        }
        (Some(name), _) => Ok(Part::Section(name)),
        (None, Some(_)) => Ok(Part::Section("job")),
        (None, None) if !ours && kind::said_beside(root).is_some() => Ok(Part::Nothing),
        (None, None) => Ok(Part::Whole),
    }
}

/// The settings in a section of this kind.
pub(super) fn read(section: &Node, said: &Said) -> Result<JobConfig, Problem> {
    let config = fill(said.job_type, settings(section)?).map_err(|problem| {
        match problem.unknown_field() {
            Some(name) => match kind::of_other_kinds(name, said) {
                Some(text) => Problem::new(problem.at(), text),
                None => problem,
            },
            None => problem,
        }
    })?;
    config.validate().map_err(|invalid| {
        let mut node = section;
        for key in invalid.field().split('.') {
            node = node.get(key).unwrap_or(node);
        }
        Problem::new(node.at, invalid)
    })?;
    Ok(config)
}

/// The section without what says how to read it.
fn settings(section: &Node) -> Result<Node, Problem> {
    let Content::Mapping(entries) = &section.content else { return Err(kind::none(section)) };
    let is_meta = |key: &Node| key.as_text().is_some_and(|name| kind::META.contains(&name));
    let entries = entries.iter().filter(|(key, _)| !is_meta(key)).cloned().collect();
    Ok(Node::mapping(entries, section.at))
}

fn fill(job_type: JobType, settings: Node) -> Result<JobConfig, Problem> {
    match job_type {
        JobType::Local => Deserialize::deserialize(settings).map(JobConfig::Local),
        JobType::LocalDocker => Deserialize::deserialize(settings).map(JobConfig::LocalDocker),
        JobType::SlurmConda => Deserialize::deserialize(settings).map(JobConfig::SlurmConda),
        JobType::SlurmDocker => Deserialize::deserialize(settings).map(JobConfig::SlurmDocker),
    }
}
