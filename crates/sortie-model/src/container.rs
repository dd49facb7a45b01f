//! A container, as a job asks for it.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize, de};

/// A container, as the settings of a job ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSpec {
    /// What kind of engine runs it.
    pub kind: EngineKind,
    /// The engine's command, or a path to it.
    pub engine: String,
    /// The image. For Docker and Podman a name, with or without a registry, tag or digest; for Apptainer the path of a SIF file
    /// or of a directory, or `docker-archive:`, `oci-archive:` and such a path, or a registry's URI.
    pub image: String,
    /// An archive that the image comes from, as `docker save` writes it.
    pub archive: Option<PathBuf>,
    /// When the image is pulled, if it comes from no archive.
    pub pull: PullPolicy,
    /// A directory that keeps archives of what was pulled, for all nodes that see it, or for Apptainer the directories that
    /// images were converted to.
    pub cache: Option<PathBuf>,
    /// Whether the working directory is mounted at [`WORKSPACE`].
    pub mount_workspace: bool,
    /// The user and group it runs as.
    pub user: ContainerUser,
    /// The network it is in, such as `none` or `host`; `None` for the engine's default.
    pub network: Option<String>,
    /// The CPUs it may use; `None` for all.
    pub cpus: Option<u32>,
    /// The memory it may use, in bytes, and no swap beyond that; `None` for all.
    pub memory_bytes: Option<u64>,
    /// The processes and threads it may have at once; `None` leaves it to the engine.
    pub pids_limit: Option<u32>,
    /// Whether an engine that cannot hold it to such limits is refused.
    pub require_limits: bool,
    /// Whether it gets the GPUs that the job was assigned.
    pub gpus: bool,
    /// Further arguments of the engine's command that runs it, as a shell would split them.
    pub flags: String,
}

/// A kind of engine. Docker and Podman are one kind: their settings and commands are the same, and only the script on the
/// node tells them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker or Podman.
    #[default]
    Docker,
    /// Apptainer, or Singularity, as it was called before.
    Apptainer,
}

/// What the names of each kind's commands begin with.
const NAMES: [(&str, EngineKind); 4] = [
    ("docker", EngineKind::Docker),
    ("podman", EngineKind::Docker),
    ("apptainer", EngineKind::Apptainer),
    ("singularity", EngineKind::Apptainer),
];

impl EngineKind {
    /// The kind of the engine that is called by this command, a name or a path; `None` if it is not known.
    ///
    /// ```
    /// use sortie_model::EngineKind;
    ///
    /// assert_eq!(EngineKind::of("/opt/bin/singularity-ce"), Some(EngineKind::Apptainer));
    /// assert_eq!(EngineKind::of("runc"), None);
    /// ```
    pub fn of(command: &str) -> Option<Self> {
        let name = command.rsplit('/').next().unwrap_or_default();
        NAMES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| *kind)
    }
}

/// When an image is pulled, if it comes from no archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// When there is none of the name where the job runs.
    #[default]
    Missing,
    /// Before each job.
    Always,
    /// Never.
    Never,
}

impl<'de> Deserialize<'de> for PullPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "missing" => Ok(Self::Missing),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => {
                let expected = &"`missing`, `always` or `never`";
                Err(de::Error::invalid_value(de::Unexpected::Str(&text), expected))
            }
        }
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

/// The user and group a container runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerUser {
    /// Those of the job, so that what it writes belongs to who submitted it.
    Submitter,
    /// Those of the image.
    Image,
    /// These: `UID`, `UID:GID`, or names that the image knows.
    Named(String),
}

/// Where a container sees the working directory.
pub const WORKSPACE: &str = "/workspace";

/// A path on the evaluator's command line, as the container has it.
pub fn inside(path: &Path) -> OsString {
    if path.is_absolute() {
        return path.into();
    }
    // As text, since joining paths would drop the prefix of `./x` or a trailing slash.
    [OsStr::new(WORKSPACE), OsStr::new("/"), path.as_os_str()].into_iter().collect()
}
