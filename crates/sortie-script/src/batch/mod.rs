//! The script that Slurm runs.

mod directive;
mod environment;
mod error;
mod place;
mod values;

use std::{ffi::OsString, fmt::Write as _, path::Path, time::Duration};

pub use directive::OWN_OPTIONS;
pub use environment::Environment;
pub use error::ScriptError;
pub use place::is_of_the_launcher;

use sortie_model::{Activation, AttemptId, names, protocol};

use crate::Container;
use values::word;

/// Only what Slurm itself sets: the script exports the rest. Releases before 23.02 take it for the name
/// of a variable that is not there and load the user's login environment too, as `NONE` always does; who hands the
/// script to one of them says otherwise on the command line.
const EXPORT: &str = "NIL";

/// What does the work, the same in every script of the kind.
macro_rules! text {
    ($($own:literal),*) => {
        concat!(
            include_str!("record.sh"),
            include_str!("tree.sh"),
            include_str!("parent.sh"),
            "\n",
            include_str!("../watch.sh"),
            include_str!("setup.sh"),
            $(include_str!($own),)*
            include_str!("main.sh"),
        )
    };
}

/// What stands for the version of the records in the texts.
const RECORD_VERSION: &str = "@RECORD_VERSION@";

/// What removes containers whose jobs are gone.
pub(crate) const CLEAN_UP: &str = include_str!("docker/clean_up.sh");

const ON_NODE: &str = text!("../interpreter.sh", "evaluator.sh");

/// What runs the evaluator in a container of Docker or Podman.
pub(crate) const IN_DOCKER: &str = text!(
    "engine.sh",
    "docker/engine.sh",
    "docker/image.sh",
    "docker/clean_up.sh",
    "notes.sh",
    "docker/jobs.sh",
    "docker/probe.sh",
    "docker/container.sh",
    "docker/container_end.sh"
);

/// What runs it in one of Apptainer.
pub(crate) const IN_APPTAINER: &str = text!(
    "engine.sh",
    "notes.sh",
    "apptainer/image.sh",
    "apptainer/container.sh",
    "apptainer/container_end.sh"
);

/// What Slurm is to be asked for, and what the job is to do once it runs.
#[derive(Clone, Debug)]
pub struct BatchScript<'a> {
    /// sortie's version, for the reader of the script.
    pub version: &'a str,
    /// The job's name in Slurm: `sortie-` and an attempt's id, so that it can be looked up.
    pub name: &'a str,
    /// What is run.
    pub jobs: Jobs<'a>,
    /// Further options of sbatch, without the dashes, each with its value if it takes one: what the
    /// settings ask for. Those of [`OWN_OPTIONS`] are written by the script itself.
    pub options: &'a [(String, Option<String>)],
    /// How long before the time limit Slurm sends SIGTERM to the script, in seconds; it may come up
    /// to a minute earlier than that (sbatch(1)). 0 leaves it to the limit itself.
    pub early_term_seconds: u32,
    /// The directory to run in: absolute.
    pub directory: &'a Path,
    /// The environment.
    pub environment: Environment<'a>,
    /// Environment modules to load, in order.
    pub modules: &'a [String],
    /// What to activate before the evaluator is run.
    pub activation: &'a Activation,
    /// Whether it is Python that runs the evaluator, and is asked for its version first: the command's program. Else that
    /// is the evaluator itself.
    pub by_python: bool,
    /// From SIGTERM to SIGKILL, to a tenth of a second.
    pub grace: Duration,
    /// What each log may hold before the job is stopped, in bytes.
    pub max_log_bytes: u64,
}

/// One job, or an array of them.
#[derive(Clone, Copy, Debug)]
pub enum Jobs<'a> {
    /// One.
    One(&'a Attempt<'a>),
    /// A job array with the indices from 0, each running one of these.
    Array {
        /// The elements.
        elements: &'a [Attempt<'a>],
        /// How many of them may run at once; `None` leaves it to Slurm.
        at_once: Option<u32>,
    },
}

/// One execution of an evaluator.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Its id.
    pub id: AttemptId,
    /// The candidate, for the reader of the script.
    pub candidate: &'a Path,
    /// Where the logs and results go: absolute, and there by the time the job starts.
    pub results_dir: &'a Path,
    /// Where the records go, out of the evaluator's hands: absolute, and there by then, too.
    pub state_dir: &'a Path,
    /// The evaluator's command line, Python first.
    pub command: &'a [OsString],
    /// The container to run it in, if any. In a job array, all or none have one, of the same image.
    pub container: Option<&'a Container<'a>>,
}

/// The name of the file that Slurm writes its messages for an element of a job array to, in the state dir of the
/// first: one directive cannot name the logs of all. An element's script removes it, unless it is killed.
///
/// `first` is the id of the first element's attempt.
pub fn slurms_words(first: AttemptId, element: impl std::fmt::Display) -> String {
    format!(".slurm-{first}-{element}")
}

impl BatchScript<'_> {
    /// The script, for the standard input of sbatch.
    ///
    /// Every value arrives as it is, whatever its bytes, or is refused. What a directive cannot carry
    /// (a log's path with a line break) is left to the script itself, which opens the logs once more
    /// and goes to the directory in any case: all that is lost then are Slurm's own messages. Those for
    /// the elements of a job array are in files of their own, see [`slurms_words`].
    pub fn render(&self) -> Result<String, ScriptError> {
        self.text(true)
    }

    /// The script for a bash on this machine: the same without directives.
    pub fn render_here(&self) -> Result<String, ScriptError> {
        self.text(false)
    }

    fn text(&self, for_slurm: bool) -> Result<String, ScriptError> {
        let (first, attempts) = match self.jobs {
            Jobs::One(attempt) => (attempt, std::slice::from_ref(attempt)),
            Jobs::Array { elements, .. } => {
                (elements.first().ok_or(ScriptError::NoElement)?, elements)
            }
        };
        let text = first.container.map_or(ON_NODE, Container::text);
        let mut script = String::with_capacity(text.len() + 4096 + 512 * attempts.len());
        self.add_header(&mut script, first)?;
        if for_slurm {
            self.add_directives(&mut script, first)?;
        }
        values::add(&mut script, self, attempts)?;
        match first.container {
            None => environment::add(&mut script, &self.environment)?,
            Some(_) => environment::add_for_engine(&mut script, &self.environment)?,
        }
        let (before, after) = text.split_once(RECORD_VERSION).unwrap_or((text, ""));
        let _ = write!(script, "{before}{}{after}", protocol::VERSION);
        Ok(script)
    }

    fn add_header(&self, script: &mut String, first: &Attempt<'_>) -> Result<(), ScriptError> {
        let version = word("the version", self.version)?;
        // Writing to a string does not fail, here and below.
        let _ = writeln!(script, "#!/bin/bash\n# Written by sortie {version}.");
        let _ = match self.jobs {
            Jobs::One(_) => {
                let candidate = word("the candidate", first.candidate)?;
                writeln!(script, "# Attempt {}, candidate {candidate}", first.id)
            }
            Jobs::Array { elements, .. } => {
                writeln!(
                    script,
                    "# {} attempts, one for each element of a job array",
                    elements.len()
                )
            }
        };
        Ok(())
    }

    fn add_directives(&self, script: &mut String, first: &Attempt<'_>) -> Result<(), ScriptError> {
        if directive::word(self.name).is_none() {
            return Err(ScriptError::Name { name: self.name.to_owned() });
        }
        directive::add(script, "job-name", Some(self.name));
        let path = |dir: &Path, name: &str| directive::log_path(&dir.join(name));
        let log = |name: &str| path(first.results_dir, name);
        let logs = match self.jobs {
            Jobs::One(_) => [log(names::STDOUT), log(names::STDERR)],
            Jobs::Array { elements, at_once } => {
                let last = elements.len() - 1;
                let at_once = at_once.map(|count| format!("%{count}")).unwrap_or_default();
                directive::add(script, "array", Some(&format!("0-{last}{at_once}")));
                let words = path(first.state_dir, &slurms_words(first.id, ""));
                [None, words.map(|words| words + "%a")]
            }
        };
        for (name, log) in ["output", "error"].into_iter().zip(&logs) {
            directive::add(script, name, Some(log.as_deref().unwrap_or("/dev/null")));
        }
        directive::add(script, "open-mode", Some("append"));
        directive::add(script, "chdir", Some(directive::path(self.directory).unwrap_or("/")));
        directive::add(script, "nodes", Some("1"));
        directive::add(script, "ntasks", Some("1"));
        directive::add(script, "no-requeue", None);
        directive::add(script, "export", Some(EXPORT));
        if self.early_term_seconds > 0 {
            let signal = format!("B:TERM@{}", self.early_term_seconds);
            directive::add(script, "signal", Some(&signal));
        }
        self.options
            .iter()
            .try_for_each(|(name, value)| directive::add_option(script, name, value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use sortie_model::End;

    use super::*;

    /// All numbers and texts that any end has.
    const MEMBERS: &str = r#""code":1,"signal":1,"status":1,"step":"","limit_bytes":1"#;

    #[test]
    fn the_texts_tell_of_ends_and_starts_as_they_are_read() {
        for text in [ON_NODE, IN_DOCKER, IN_APPTAINER] {
            assert_eq!(text.matches(RECORD_VERSION).count(), 1);
            let text = text.replace('\\', "");
            let kinds = text.split("\"kind\":\"").skip(1).filter_map(|rest| rest.split('"').next());
            let read =
                |kind| serde_json::from_str(&format!(r#"{{"kind":"{kind}",{MEMBERS}}}"#)).unwrap();
            let ends: Vec<End> = kinds.map(read).collect();
            assert!(ends.contains(&End::Exited { code: 1 }) && ends.len() >= 6, "{ends:?}");
        }
    }

    #[test]
    fn the_texts_call_files_by_their_names() {
        let all = [
            names::STDOUT,
            names::STDERR,
            names::JOB_START,
            names::JOB_END,
            names::NEW.submitted,
            names::AT_END,
            names::CORRECT,
            names::METRICS,
            names::ATTEMPT,
        ];
        for text in [ON_NODE, IN_DOCKER, IN_APPTAINER] {
            for name in all {
                assert!(text.contains(name), "{name}");
            }
        }
    }
}
