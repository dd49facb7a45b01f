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

pub use engine::Engine;
pub(crate) use engine::Value;
pub use error::ContainerError;
pub use flags::{Flags, FlagsError, Variable};
pub use mount::{Files, Mount, WORKSPACE, inside};
pub use probe::{Trial, try_executable};
pub use words::WordsError;

use crate::batch::SWEEP;
use engine::{Dialect, Values};
use mount::clean;

/// A container for one attempt, as far as it is known before it is on a node.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// The attempt's id, which the container is named by.
    pub attempt: &'a str,
    /// Who asks for it: the value of a label, for people.
    pub launcher: &'a str,
    /// What kind of engine it is of.
    pub kind: Engine,
    /// The engine's command, or a path to it.
    pub engine: &'a str,
    /// The image. For Docker and Podman a name, with or without a registry, tag or digest; for Apptainer the absolute path of a
    /// SIF file or of a directory, or `docker-archive:`, `oci-archive:` and such a path, or a registry's URI.
    pub image: &'a str,
    /// An archive that the image comes from, as `docker save` writes it: absolute.
    pub archive: Option<&'a Path>,
    /// When the image is pulled, if it comes from no archive.
    pub pull: Pull,
    /// A directory that keeps archives of what was pulled, for all nodes that see it, or for Apptainer the directories that
    /// images were converted to: absolute.
    pub cache: Option<&'a Path>,
    /// What of the host's files it sees.
    pub mounts: &'a [Mount],
    /// Where it starts: absolute.
    pub directory: &'a Path,
    /// The user and group it runs as.
    pub user: User<'a>,
    /// Whether it gets the GPUs that the job was assigned.
    pub gpus: bool,
    /// The CPUs it may use.
    pub cpus: Option<u32>,
    /// The memory it may use, in bytes, and no swap beyond that.
    pub memory_bytes: Option<u64>,
    /// The processes and threads it may have at once.
    pub pids: Option<u32>,
    /// Whether an engine that cannot hold it to such limits is refused.
    pub strict: bool,
    /// What can run a short text in place of the evaluator, to see on each node whether an evaluator can be started so
    /// and write the results dir, whose path follows as the evaluator has it. `None`: that is not tried. Apptainer needs
    /// none: each job tells.
    pub probe: Option<[&'a OsStr; 2]>,
    /// Whether that, or less, is all that is to be done.
    pub trial: Trial,
    /// The network it is in, such as `none` or `host`; `None` for the engine's default.
    pub network: Option<&'a str>,
    /// Its environment beside the image's: nothing else of the launcher's gets in.
    pub environment: &'a [(OsString, OsString)],
    /// The user's flags. Where they say the same thing as a field here, they win.
    pub flags: &'a Flags,
}

/// The user and group a container runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User<'a> {
    /// Those of the job, so that what it writes belongs to who submitted it.
    Submitter,
    /// Those of the image.
    Image,
    /// These: `UID`, `UID:GID`, or names that the image knows.
    Named(&'a str),
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// When the node has none of the name.
    Missing,
    /// Before each job.
    Always,
    /// Never: without one on the node, the job's set-up fails.
    Never,
}

impl fmt::Display for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
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

    /// What that part asks for beside the flags.
    pub(crate) fn values(&self) -> Result<Values<'_>, ContainerError> {
        self.dialect().values(self)
    }

    /// The results dir, as something in the container is told it.
    pub(crate) fn results_dir(&self) -> OsString {
        self.dialect().results_dir(self)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        self.kind.dialect()
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
        if self.image.is_empty() || self.image.starts_with('-') {
            return Err(ContainerError::Image { image: self.image.to_owned() });
        }
        text("the image", self.image)
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
/// assert_eq!(sortie_script::sweep("podman").last().unwrap(), "podman");
/// ```
pub fn sweep(engine: &str) -> Vec<OsString> {
    const RUN: &str =
        "sortie_engine=$1\n\"$1\" version >/dev/null || exit\nsortie_find_owner\nsortie_sweep\n";
    let text = [SWEEP, RUN].concat();
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
