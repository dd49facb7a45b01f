//! The arguments of a container engine that run one attempt in a container.

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

pub use error::ContainerError;
pub use flags::{Flags, FlagsError, Variable};
pub use mount::{Files, Mount, WORKSPACE, inside};
pub use probe::{Trial, try_executable};
pub use words::WordsError;

use crate::batch::SWEEP;
use mount::clean;

/// A container for one attempt, as far as it is known before it is on a node.
///
/// Docker and Podman take the same arguments.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// The attempt's id, which the container is named by.
    pub attempt: &'a str,
    /// Who asks for it: the value of a label, for people.
    pub launcher: &'a str,
    /// The engine's command: `docker` or `podman`, or a path to either.
    pub engine: &'a str,
    /// The image: a name with or without a registry, tag or digest.
    pub image: &'a str,
    /// An archive that the image comes from, as `docker save` writes it: absolute.
    pub archive: Option<&'a Path>,
    /// When the image is pulled, if it comes from no archive.
    pub pull: Pull,
    /// A directory, seen by all nodes, that keeps archives of what was pulled: absolute.
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
    /// Whether an engine that would ignore such limits is refused.
    pub strict: bool,
    /// What can run a short text in place of the evaluator, to see on each node whether an evaluator can be started so
    /// and write the results dir, whose path follows as the evaluator has it. `None`: that is not tried.
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
    /// The arguments of `docker create` up to the image; what is known on the node alone may be
    /// added. Every value arrives as it is, or is refused.
    pub fn flags(&self) -> Result<Vec<String>, ContainerError> {
        let mut all = vec![
            format!("--name=sortie-{}", self.attempt),
            format!("--label={LABEL}attempt={}", self.attempt),
            format!("--label={LABEL}launcher={}", self.launcher),
            "--init".to_owned(),
            // What removes it kills it: its grace is the script's to give.
            "--stop-timeout=0".to_owned(),
            "--pull=never".to_owned(),
        ];
        self.add_unless_given(&mut all, "workdir", Some(absolute(self.directory)?));
        if let User::Named(user) = self.user {
            self.add_unless_given(&mut all, "user", Some(user));
        }
        let memory = self.memory_bytes.map(|bytes| format!("{bytes}b"));
        self.add_unless_given(&mut all, "memory", memory.as_deref());
        // This is memory and swap together, which without it would be twice as much.
        let both = self.flags.value("memory").or(memory.as_deref());
        self.add_unless_given(&mut all, "memory-swap", both);
        self.add_unless_given(&mut all, "pids-limit", self.pids);
        self.add_unless_given(&mut all, "network", self.network);
        // The engine would keep a second copy of the logs, without a limit.
        self.add_unless_given(&mut all, "log-driver", Some("none"));
        for mount in self.mounts {
            let target = absolute(&mount.target)?;
            absolute(&mount.source)?;
            if !self.flags.mounts_at(target) {
                all.push(format!("--mount={}", mount.option()?));
            }
        }
        for (name, value) in self.environment {
            if name.is_empty() || name.to_string_lossy().contains('=') {
                return Err(ContainerError::VariableName { name: name.clone() });
            }
            let name = text("a variable's name", name)?;
            let value = text(&format!("the variable {name}"), value)?;
            all.push(format!("--env={name}={value}"));
        }
        all.extend_from_slice(self.flags.words());
        Ok(all)
    }

    /// The image's name, which follows the flags; the evaluator's command line follows it.
    pub fn image(&self) -> Result<&str, ContainerError> {
        if self.image.is_empty() || self.image.starts_with('-') {
            return Err(ContainerError::Image { image: self.image.to_owned() });
        }
        text("the image", self.image)
    }

    /// Which GPUs it gets: `none`, those `assigned` to the job, or `all` where none are assigned.
    pub(crate) fn gpus(&self) -> &'static str {
        match (self.flags.all_gpus(), self.gpus && !self.flags.has("gpus")) {
            (true, _) => "all",
            (false, true) => "assigned",
            (false, false) => "none",
        }
    }

    /// The CPUs it may use, 0 for all. No engine takes more than its machine has, which Slurm may be told
    /// to take for more.
    pub(crate) fn cpus(&self) -> u32 {
        self.cpus.filter(|_| !self.flags.has("cpus")).unwrap_or(0)
    }

    /// Whether the user is to be found out on the node.
    pub(crate) fn is_of_submitter(&self) -> bool {
        self.user == User::Submitter && !self.flags.has("user")
    }

    /// Whether it may be put into the job's control group.
    pub(crate) fn in_job_group(&self) -> bool {
        !self.flags.has("cgroup-parent")
    }

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
pub const INFRASTRUCTURE_STEPS: [&str; 4] =
    ["engine", "image load", "image pull", "container start"];

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
