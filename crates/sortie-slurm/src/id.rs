//! What Slurm calls a job, and what we call it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A job, or one element of a job array; written `123`, `123_7`, and with the name of its cluster
/// where sbatch gave one, `123;cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    /// The number sbatch prints; for an array, the same for all its elements.
    pub number: u32,
    /// The index in a job array.
    pub element: Option<u32>,
    /// The cluster, where Slurm's commands are told to talk to several (`SLURM_CLUSTERS`).
    pub cluster: Option<Arc<str>>,
}

/// This is no job id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no job id: expected a number, as in `123`, `123_7` or `123;cluster`")]
pub struct BadJobId(String);

impl JobId {
    /// The job with that number.
    pub fn new(number: u32) -> Self {
        Self { number, element: None, cluster: None }
    }

    /// One element of the job array with this id.
    #[must_use]
    pub fn element(&self, index: u32) -> Self {
        Self { element: Some(index), ..self.clone() }
    }

    /// As the commands take it; the cluster is told to them apart.
    pub(crate) fn local(&self) -> String {
        match self.element {
            Some(index) => format!("{}_{index}", self.number),
            None => self.number.to_string(),
        }
    }

    pub(crate) fn on(self, cluster: Option<Arc<str>>) -> Self {
        Self { cluster, ..self }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.local())?;
        self.cluster.iter().try_for_each(|cluster| write!(f, ";{cluster}"))
    }
}

impl FromStr for JobId {
    type Err = BadJobId;

    fn from_str(text: &str) -> Result<Self, BadJobId> {
        let parse = || {
            let (id, cluster) = match text.split_once(';') {
                Some((_, "")) => return None,
                Some((id, cluster)) => (id, Some(cluster.into())),
                None => (text, None),
            };
            let (number, element) = match id.split_once('_') {
                Some((number, element)) => (number, Some(decimal(element)?)),
                None => (id, None),
            };
            Some(Self { number: decimal(number)?, element, cluster })
        };
        parse().ok_or_else(|| BadJobId(text.to_owned()))
    }
}

/// A number of digits only: Rust's own parser would take a sign.
fn decimal(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The name a job is submitted under, by which it is found again when sbatch did not live to tell
/// its id. It has to be unique to the submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobName(Arc<str>);

/// This cannot be the name of a job.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} cannot be a job's name: use 1 to 128 letters, digits, `-`, `_` and `.`, beginning with a \
     letter, so that Slurm's commands can be asked for it"
)]
pub struct BadJobName(String);

impl JobName {
    /// A name of 1 to 128 ASCII letters, digits, `-`, `_` and `.`, beginning with a letter: what
    /// squeue, sacct and scancel take as one name, and not as a list or an option.
    pub fn new(name: &str) -> Result<Self, BadJobName> {
        let fits = name.len() <= 128
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        fits.then(|| Self(name.into())).ok_or_else(|| BadJobName(name.to_owned()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for text in ["1", "123_0", "123_45", "7;north", "7_1;north"] {
            assert_eq!(text.parse::<JobId>().unwrap().to_string(), text);
        }
        for text in
            ["", "x", "1;", "1_", "_1", "1_[2-3]", "1+0", "+1", "-1", "1.batch", "5000000000"]
        {
            let error = text.parse::<JobId>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn names_that_the_commands_would_misread_are_refused() {
        for name in ["", "-x", "a,b", "a b", "a=b", "ä", "1", &"x".repeat(129)] {
            assert!(JobName::new(name).is_err(), "{name}");
        }
        assert_eq!(JobName::new("sortie-0198.a_b").unwrap().as_str(), "sortie-0198.a_b");
    }
}
