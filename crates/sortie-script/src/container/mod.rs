//! The arguments of a container engine that run one attempt in a container.

mod apptainer;
mod docker;
mod engine;
mod error;
mod flags;
mod mount;
mod probe;
mod words;

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::Path,
};

pub(crate) use engine::Value;
pub use error::ContainerError;
pub use flags::{Flags, FlagsError, Variable};
pub use mount::{Files, Mount};
pub use probe::{Trial, try_executable};
pub use words::WordsError;

use sortie_model::{AttemptId, ContainerSpec};

use crate::batch::CLEAN_UP;
use engine::{Dialect, Values};
use mount::clean;

/// A container for one attempt, as far as it is known before it is on a node.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// The attempt's id, which the container is named by.
    pub attempt: AttemptId,
    /// Who asks for it: the value of a label, for people.
    pub launcher: &'a str,
    /// What is asked for. Its paths are absolute.
    pub spec: &'a ContainerSpec,
    /// What of the host's files it sees.
    pub mounts: &'a [Mount],
    /// Where it starts: absolute.
    pub directory: &'a Path,
    /// What can run a short text in place of the evaluator, to see on each node whether an evaluator can be started so
    /// and write the results dir, whose path follows as the evaluator has it. `None`: that is not tried. Apptainer needs
    /// none: each job tells.
    pub probe: Option<[&'a OsStr; 2]>,
    /// Whether that, or less, is all that is to be done.
    pub trial: Trial,
    /// Its environment beside the image's: nothing else of the launcher's gets in.
    pub environment: &'a [(OsString, OsString)],
    /// The user's flags. Where they say the same thing as a field here, they win.
    pub flags: &'a Flags,
}

impl Container<'_> {
    /// The arguments of the engine's command up to the image, as far as they are known before there is a node. Every value
    /// arrives as it is, or is refused.
    pub fn flags(&self) -> Result<Vec<String>, ContainerError> {
        self.dialect().flags(self)
    }

    /// The part of a script that runs it.
    pub(crate) fn text(&self) -> &'static str {
        self.dialect().text()
    }

    /// The values that this part of the script reads, apart from the flags.
    pub(crate) fn values(&self) -> Result<Values<'_>, ContainerError> {
        self.dialect().values(self)
    }

    /// The results dir, as something in the container is told it.
    pub(crate) fn results_dir(&self) -> OsString {
        self.dialect().results_dir(self)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        engine::dialect(self.spec.kind)
    }

    /// The mounts that the user's flags put nothing in the place of, each as the value of a flag.
    fn mount_options(&self) -> Result<Vec<String>, ContainerError> {
        let mut options = Vec::new();
        for mount in self.mounts {
            let target = absolute(&mount.target)?;
            absolute(&mount.source)?;
            if !self.flags.mounts_at(target) {
                options.push(mount.option()?);
            }
        }
        Ok(options)
    }

    /// The variables, each as `NAME=VALUE`.
    fn assignments(&self) -> Result<Vec<String>, ContainerError> {
        let assigned = |(name, value): &(OsString, OsString)| {
            if name.is_empty() || name.to_string_lossy().contains('=') {
                return Err(ContainerError::VariableName { name: name.clone() });
            }
            let name = text("a variable's name", name)?;
            let value = text(&format!("the variable {name}"), value)?;
            Ok(format!("{name}={value}"))
        };
        self.environment.iter().map(assigned).collect()
    }

    /// The image's name, which follows the flags; the evaluator's command line follows it.
    pub fn image(&self) -> Result<&str, ContainerError> {
        let image = &self.spec.image;
        if image.is_empty() || image.starts_with('-') {
            return Err(ContainerError::Image { image: image.clone() });
        }
        text("the image", image)
    }

    /// Adds a flag, unless the user's say the same thing.
    fn add_unless_given(
        &self,
        all: &mut Vec<String>,
        name: &str,
        value: Option<impl fmt::Display>,
    ) {
        if let Some(value) = value.filter(|_| !self.flags.has(name)) {
            all.push(format!("--{name}={value}"));
        }
    }
}

/// Set-up steps of a container that fail for the machine's fault, and may succeed on another node or later.
/// Those before and after them are for the user to mend: `image tar`, `image` (there is none of the name),
/// `container` (flags, mounts, devices), `command` (not in the image) and so on.
pub const INFRASTRUCTURE_STEPS: [&str; 6] =
    ["engine", "gpu", "image load", "image pull", "image directory", "container start"];

/// What the names of sortie's labels start with.
pub(crate) const LABEL: &str = "sortie.";

/// The command line that removes the containers of this user on this machine whose jobs are gone, and
/// prints a line for each on standard error. Its status is the engine's, if that does not answer.
///
/// ```
/// assert_eq!(sortie_script::clean_up("podman").last().unwrap(), "podman");
/// ```
pub fn clean_up(engine: &str) -> Vec<OsString> {
    const RUN: &str =
        "sortie_engine=$1\n\"$1\" version >/dev/null || exit\nsortie_find_owner\nsortie_clean_up\n";
    let text = [CLEAN_UP, RUN].concat();
    ["bash", "--noprofile", "--norc", "-c", &text, "bash", engine].map(OsString::from).to_vec()
}

fn absolute(path: &Path) -> Result<&str, ContainerError> {
    if !path.is_absolute() || clean(path).parent().is_none() {
        return Err(ContainerError::Relative { what: "a place in a container", path: path.into() });
    }
    text("a path", path)
}

/// Whether an engine can be given the value.
pub(crate) fn check(what: &str, value: &OsStr) -> Result<(), ContainerError> {
    text(what, value).map(|_| ())
}

/// The value as an engine can be given it.
fn text<'a>(
    what: &str,
    value: &'a (impl AsRef<OsStr> + ?Sized),
) -> Result<&'a str, ContainerError> {
    let value = value.as_ref();
    let usable = value.to_str().filter(|text| !text.contains('\0'));
    usable.ok_or_else(|| ContainerError::NotText { what: what.to_owned(), value: value.to_owned() })
}
