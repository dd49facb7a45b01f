//! Which kind of job a file is about, and where it says so.

use super::{
    error::{Problem, nearest},
    file::{Document, Part},
    interpolation,
    node::{Content, Fault, Mark, Node},
};
use crate::{JobType, UnknownJobType, variables};

/// Keys that say how to read the rest and are no settings.
pub(super) const META: [&str; 4] = ["job_type", "_target_", "_convert_", "_recursive_"];
/// Where the reference's files name the kind beside the section: as composed, as a run writes it down, as `shinka_run` reads it.
const BESIDE: [&str; 3] = ["evo_config", "evolution_config", "evo"];

/// A section of files that others complete.
const COMPOSED_LATER: Part = Part::Section("distributed_job_config");

/// The kind of job, and what to tell about how it was found.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) job_type: JobType,
    /// In words: `job_type` of the settings, their class, …; `None` where nothing says it.
    pub(super) by: Option<String>,
    pub(super) notices: Vec<String>,
}

/// One place that names the kind.
struct Naming {
    job_type: JobType,
    by: String,
    at: Mark,
}

/// The kind that all places agree on. One that is set beside the file holds, whatever the file says.
pub(super) fn said(Document { root, part, section }: &Document) -> Result<Said, Problem> {
    let mut notices = Vec::new();
    let mut namings = Vec::new();
    if let Some(node) = section.get("job_type") {
        namings.push(by_name("`job_type`", node, root)?);
    }
    if namings.first().is_some_and(|naming| naming.at.text != 0) {
        return agree(namings, section, *part, notices);
    }
    namings.extend(by_class(section, root, &mut notices)?);
    if *part != Part::Whole {
        let beside = root.get("job_type").map(|node| ("`job_type` beside them".to_owned(), node));
        for (by, node) in beside.into_iter().chain(said_beside(root)) {
            let naming = by_name(&by, node, root)?;
            match namings.first() {
                // What is only a part of a file to compose may be run otherwise.
                Some(first) if first.job_type != naming.job_type && *part == COMPOSED_LATER => {
                    notices.push(disagreement(&naming, first) + ", which holds");
                }
                _ => namings.push(naming),
            }
        }
    }
    if *part == Part::Nothing {
        // Only what `shinka_run` reads has defaults that stand for themselves.
        namings.retain(|naming| naming.job_type == JobType::Local);
        notices.push("the file has no `job_config`: all settings have their defaults".to_owned());
    }
    agree(namings, section, *part, notices)
}

fn disagreement(one: &Naming, other: &Naming) -> String {
    format!("{} is `{}`, but {} is `{}`", one.by, one.job_type, other.by, other.job_type)
}

fn agree(
    namings: Vec<Naming>,
    section: &Node,
    part: Part,
    notices: Vec<String>,
) -> Result<Said, Problem> {
    let mut namings = namings.into_iter();
    let Some(first) = namings.next() else {
        return match (part, &section.content) {
            (Part::Section("job_config" | "job"), Content::Mapping(_)) => {
                Ok(Said { job_type: JobType::Local, by: None, notices })
            }
            _ => Err(none(section)),
        };
    };
    if let Some(other) = namings.find(|naming| naming.job_type != first.job_type) {
        let text =
            disagreement(&other, &first) + ": let them agree, or say which with `--set job_type=…`";
        return Err(Problem::new(other.at, text));
    }
    Ok(Said { job_type: first.job_type, by: Some(first.by), notices })
}

/// Where a file of the reference names the kind outside the settings, if it does.
pub(super) fn said_beside(root: &Node) -> Option<(String, &Node)> {
    BESIDE.iter().find_map(|name| {
        let part = interpolation::follow(root.get(name)?, root);
        let node =
            part.get("job_type").filter(|node| node.as_text() != Some("???") && !node.is_null())?;
        Some((format!("`{name}.job_type`"), node))
    })
}

fn by_name(by: &str, node: &Node, root: &Node) -> Result<Naming, Problem> {
    let resolved = interpolation::resolve(node, root);
    resolved.check()?;
    let name = resolved.as_text().unwrap_or_default();
    let job_type = name.parse().map_err(|error: UnknownJobType| Problem::new(node.at, error))?;
    Ok(Naming { job_type, by: by.to_owned(), at: node.at })
}

/// By the class that `_target_` names, or the tag of a Python object.
fn by_class(
    section: &Node,
    root: &Node,
    notices: &mut Vec<String>,
) -> Result<Option<Naming>, Problem> {
    let (target, by, at) = match (section.get("_target_"), tagged_class(section)) {
        (Some(node), _) => {
            let resolved = interpolation::resolve(node, root);
            resolved.check()?;
            (resolved.as_text().unwrap_or_default().to_owned(), "`_target_`", node.at)
        }
        (None, Some(class)) => (class.to_owned(), "the class in the tag", section.at),
        (None, None) => return Ok(None),
    };
    let Some(job_type) = class(&target) else {
        let text = format!(
            "unknown `_target_` `{target}`, expected `LocalJobConfig`, `SlurmCondaJobConfig`, \
             `SlurmEnvJobConfig` or `SlurmDockerJobConfig` of `shinka.launch`"
        );
        return Err(Problem::new(at, text));
    };
    if !target.starts_with("shinka.") {
        notices.push(format!(
            "`{target}` is not a class of `shinka.launch`: read as `{job_type}`, by its name"
        ));
    }
    Ok(Some(Naming { job_type, by: by.to_owned(), at }))
}

/// The kind that a class stands for, whichever module it is in: forks of the reference have other names.
fn class(target: &str) -> Option<JobType> {
    match target.rsplit('.').next()? {
        "LocalJobConfig" => Some(JobType::Local),
        "SlurmCondaJobConfig" | "SlurmEnvJobConfig" => Some(JobType::SlurmConda),
        "SlurmDockerJobConfig" => Some(JobType::SlurmDocker),
        _ => None,
    }
}

/// The class of settings that were written as a Python object.
fn tagged_class(section: &Node) -> Option<&str> {
    match &section.fault {
        Some(Fault::Tag(tag)) => tag.split_once("python/object:").map(|(_, class)| class),
        _ => None,
    }
}

/// Takes the tag of a class of settings away: it is understood.
pub(super) fn understand_tag(section: &mut Node) {
    if tagged_class(section).is_some_and(|name| class(name).is_some()) {
        section.fault = None;
    }
}

/// What to say of settings that do not say their kind.
pub(super) fn none(section: &Node) -> Problem {
    let Content::Mapping(entries) = &section.content else {
        let wrong = section.check().err();
        return wrong.unwrap_or_else(|| Problem::new(section.at, "expected a mapping of settings"));
    };
    for (key, _) in entries.iter() {
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

/// What to say of a field that only other kinds of job have; `None` where none has it.
pub(super) fn of_other_kinds(field: &str, said: &Said) -> Option<String> {
    let has = |job_type: &JobType| variables::names_of(*job_type).iter().any(|name| name == field);
    let kinds: Vec<_> =
        JobType::ALL.into_iter().filter(has).map(|kind| format!("`{kind}`")).collect();
    if kinds.is_empty() || has(&said.job_type) {
        return None;
    }
    let (kinds, job_type) = (kinds.join(" and "), said.job_type);
    let why = match &said.by {
        Some(by) => format!("as {by} says"),
        None => "as nothing names another type".to_owned(),
    };
    Some(format!(
        "`{field}` is a setting of {kinds} jobs, but this job is `{job_type}`, {why}: remove it or change the job type"
    ))
}
