//! The arguments of a container engine that run one attempt in a container.

mod error;
mod flags;
mod mount;
mod words;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

pub use error::ContainerError;
pub use flags::{Flags, FlagsError};
pub use mount::{Files, Mount, WORKSPACE, inside};
pub use words::WordsError;

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
    /// The image: a name with or without a registry, tag or digest.
    pub image: &'a str,
    /// What of the host's files it sees.
    pub mounts: &'a [Mount],
    /// Where it starts: absolute.
    pub directory: &'a Path,
    /// The user and group it runs as, `UID:GID` or names of the image; `None` for the image's own.
    pub user: Option<&'a str>,
    /// The CPUs it may use.
    pub cpus: Option<u32>,
    /// The memory it may use, in bytes, and no swap beyond that.
    pub memory_bytes: Option<u64>,
    /// The processes and threads it may have at once.
    pub pids: Option<u32>,
    /// The network it is in, such as `none` or `host`; `None` for the engine's default.
    pub network: Option<&'a str>,
    /// Its environment beside the image's: nothing else of the launcher's gets in.
    pub environment: &'a [(OsString, OsString)],
    /// The user's flags. Where they say the same thing as a field here, they win.
    pub flags: &'a Flags,
    /// What it runs.
    pub command: &'a [OsString],
}

impl Container<'_> {
    /// The arguments of `docker create` up to the image; what is known on the node alone may be
    /// added. Every value arrives as it is, or is refused.
    pub fn flags(&self) -> Result<Vec<String>, ContainerError> {
        let mut all = vec![
            format!("--name={}", name(self.attempt)),
            format!("--label={LABEL}attempt={}", self.attempt),
            format!("--label={LABEL}launcher={}", self.launcher),
            "--init".to_owned(),
            "--pull=never".to_owned(),
        ];
        self.add_unless_given(&mut all, "workdir", Some(absolute(self.directory)?));
        self.add_unless_given(&mut all, "user", self.user);
        self.add_unless_given(&mut all, "cpus", self.cpus);
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

    /// What follows the flags: the image and the command.
    pub fn command(&self) -> Result<Vec<String>, ContainerError> {
        if self.image.is_empty() || self.image.starts_with('-') {
            return Err(ContainerError::Image { image: self.image.to_owned() });
        }
        if self.command.is_empty() {
            return Err(ContainerError::NoCommand);
        }
        let image = text("the image", self.image)?;
        let command = self.command.iter().map(|word| text("an argument of the evaluator", word));
        std::iter::once(Ok(image)).chain(command).map(|word| word.map(str::to_owned)).collect()
    }

    /// Whether the user's flags ask for all GPUs: then those that the job was assigned are all.
    pub fn wants_gpus(&self) -> bool {
        self.flags.all_gpus()
    }

    fn add_unless_given(
        &self,
        all: &mut Vec<String>,
        name: &str,
        value: Option<impl std::fmt::Display>,
    ) {
        if let Some(value) = value.filter(|_| !self.flags.has(name)) {
            all.push(format!("--{name}={value}"));
        }
    }
}

/// What the names of sortie's labels start with.
pub const LABEL: &str = "sortie.";

/// The name of an attempt's container.
pub(crate) fn name(attempt: &str) -> String {
    format!("sortie-{attempt}")
}

fn absolute(path: &Path) -> Result<&str, ContainerError> {
    if !path.is_absolute() || clean(path).parent().is_none() {
        return Err(ContainerError::Relative { what: "a place in a container", path: path.into() });
    }
    text("a path", path)
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
