//! Which part of a file holds the settings, and of which kind they are.

use std::path::Path;

use serde::Deserialize;

use super::{
    error::{ConfigError, Problem, nearest},
    interpolation,
    layers::Layers,
    node::{Content, Node},
};
use crate::{JobConfig, JobType};

/// Keys under which the reference's files hold the settings, the one it reads first.
const SECTIONS: [&str; 2] = ["job_config", "distributed_job_config"];
/// Keys that say how to read the rest and are no settings.
const META: [&str; 4] = ["job_type", "_target_", "_convert_", "_recursive_"];

impl JobConfig {
    /// Reads and checks settings; `file` is how errors call the text.
    ///
    /// Ours name their kind as `job_type: slurm_conda` beside the fields. The reference's own files
    /// load too: the class under `_target_`, the fields beside it, both perhaps under `job_config` or
    /// `distributed_job_config`, where whatever else the file holds is left alone and `${path}`
    /// stands for the value at that path of the same file.
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

/// The part of a text that holds the settings, and what says how to read them.
pub(super) fn section(text: &str) -> Result<Node, Problem> {
    let root = Node::parse(text, 0)?;
    let section = SECTIONS.iter().find_map(|name| root.get(name));
    let hydra = section.is_some() || root.get("_target_").is_some();
    let section = section.unwrap_or(&root);
    if hydra { interpolation::resolve(section, &root) } else { Ok(section.clone()) }
}

/// The settings in a section.
pub(super) fn read(section: &Node) -> Result<JobConfig, Problem> {
    let config = fill(job_type(section)?, settings(section)?)?;
    config.validate().map_err(|invalid| {
        let mut node = section;
        for key in invalid.field().split('.') {
            node = node.get(key).unwrap_or(node);
        }
        Problem::new(node.at, invalid)
    })?;
    Ok(config)
}

/// The kind that `job_type` and `_target_` agree on.
pub(super) fn job_type(section: &Node) -> Result<JobType, Problem> {
    let named = |key: &str, parse: fn(&str) -> Result<JobType, String>| {
        let Some(node) = section.get(key) else { return Ok(None) };
        let name = node.as_text().unwrap_or_default();
        let job_type = parse(name).map_err(|error| Problem::new(node.at, error))?;
        Ok(Some((job_type, node)))
    };
    let by_name =
        named("job_type", |name| name.parse().map_err(|e: crate::UnknownJobType| e.to_string()))?;
    let by_class = named("_target_", class)?;
    match (by_name, by_class) {
        (Some((name, _)), Some((class, node))) if name != class => {
            let text = format!("`_target_` is of job type `{class}`, but `job_type` is `{name}`");
            Err(Problem::new(node.at, text))
        }
        (Some((job_type, _)), _) | (None, Some((job_type, _))) => Ok(job_type),
        (None, None) => Err(no_job_type(section)),
    }
}

/// The kind a class of the reference stands for.
fn class(target: &str) -> Result<JobType, String> {
    let in_shinka = target.strip_prefix("shinka.").and_then(|rest| rest.rsplit('.').next());
    match in_shinka {
        Some("LocalJobConfig") => Ok(JobType::Local),
        Some("SlurmCondaJobConfig" | "SlurmEnvJobConfig") => Ok(JobType::SlurmConda),
        Some("SlurmDockerJobConfig") => Ok(JobType::SlurmDocker),
        _ => Err(format!(
            "unknown `_target_` `{target}`, expected `LocalJobConfig`, `SlurmCondaJobConfig`, \
             `SlurmEnvJobConfig` or `SlurmDockerJobConfig` of `shinka.launch`"
        )),
    }
}

fn no_job_type(section: &Node) -> Problem {
    let Content::Mapping(entries) = &section.content else {
        return Problem::new(section.at, "expected a mapping of settings");
    };
    for (key, _) in entries {
        let name = key.as_text().unwrap_or_default();
        if let Some(meant) = nearest(name, &META[..2]) {
            let text = format!("unknown field `{name}`, did you mean `{meant}`?");
            return Problem::new(key.at, text);
        }
    }
    let text =
        "no job type: add `job_type: local`, `local_docker`, `slurm_conda` or `slurm_docker`";
    Problem::new(section.at, text)
}

/// The section without what says how to read it.
fn settings(section: &Node) -> Result<Node, Problem> {
    let Content::Mapping(entries) = &section.content else { return Err(no_job_type(section)) };
    let is_meta = |key: &Node| key.as_text().is_some_and(|name| META.contains(&name));
    let entries = entries.iter().filter(|(key, _)| !is_meta(key)).cloned().collect();
    Ok(Node { at: section.at, content: Content::Mapping(entries) })
}

fn fill(job_type: JobType, settings: Node) -> Result<JobConfig, Problem> {
    match job_type {
        JobType::Local => Deserialize::deserialize(settings).map(JobConfig::Local),
        JobType::LocalDocker => Deserialize::deserialize(settings).map(JobConfig::LocalDocker),
        JobType::SlurmConda => Deserialize::deserialize(settings).map(JobConfig::SlurmConda),
        JobType::SlurmDocker => Deserialize::deserialize(settings).map(JobConfig::SlurmDocker),
    }
}
