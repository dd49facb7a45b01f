//! What the two kinds of job in a container share.

pub(crate) mod apptainer;
mod engine;

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Memory, activation::set_path};
pub use apptainer::ApptainerImage;
pub use engine::EngineKind;

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

/// The user a container runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerUser<'a> {
    /// Who submitted the job.
    Submitter,
    /// The image's.
    Image,
    /// This one: `UID`, `UID:GID`, or names that the image knows.
    Named(&'a str),
}

/// A container's settings, of either kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerSettings<'a> {
    /// The engine's command, or a path to it.
    pub engine: &'a str,
    /// The image: a name for Docker and Podman; see [`ApptainerImage`] for Apptainer.
    pub image: &'a str,
    /// An archive to load the image from.
    pub image_tar: Option<&'a Path>,
    /// When the image is pulled.
    pub pull: PullPolicy,
    /// Where archives of pulled images are kept.
    pub image_cache: Option<&'a Path>,
    /// Whether the working directory is mounted at `/workspace`.
    pub mount_workspace: bool,
    /// The user it runs as.
    pub user: ContainerUser<'a>,
    /// The network it is in; `None` leaves it to the engine.
    pub network: Option<&'a str>,
    /// Processes and threads it may have at once; `None` leaves it to the engine.
    pub pids_limit: Option<u32>,
    /// Whether a job is refused whose engine cannot hold it to its memory, CPUs or processes.
    pub require_limits: bool,
    /// CPUs it may use; `None` for all.
    pub cpus: Option<u32>,
    /// Memory it may use; `None` for all.
    pub memory: Option<Memory>,
    /// Whether it gets the GPUs that the job was assigned.
    pub gpus: bool,
    /// Further arguments of `docker run`, as a shell would split them.
    pub docker_flags: &'a str,
    /// Further arguments of `apptainer exec`, as a shell would split them.
    pub apptainer_flags: &'a str,
}

impl ContainerSettings<'_> {
    /// The kind of the engine; that of Docker where the command is not known, which is refused before.
    pub fn kind(&self) -> EngineKind {
        EngineKind::of(self.engine).unwrap_or(EngineKind::Docker)
    }
}

/// Implements `container` for settings with the fields of the two kinds of job in a container, but for
/// those that are not the same in both.
macro_rules! container_settings {
    ($name:ident, $this:ident => { $($field:ident: $value:expr),* }) => {
        impl $name {
            /// The container's settings.
            pub fn container(&self) -> crate::ContainerSettings<'_> {
                let $this = self;
                crate::ContainerSettings {
                    $($field: $value,)*
                    engine: &self.engine,
                    image: &self.image,
                    image_tar: crate::container::set(self.image_tar_path.as_ref()),
                    pull: self.pull,
                    image_cache: crate::container::set(self.image_cache.as_ref()),
                    mount_workspace: self.mount_workspace,
                    user: match self.user.as_str() {
                        "submitter" => crate::ContainerUser::Submitter,
                        "image" => crate::ContainerUser::Image,
                        name => crate::ContainerUser::Named(name),
                    },
                    network: self.network.as_deref(),
                    pids_limit: self.pids_limit,
                    require_limits: self.require_limits,
                    docker_flags: &self.docker_flags,
                    apptainer_flags: &self.apptainer_flags,
                }
            }
        }
    };
}
pub(crate) use container_settings;

/// The path, if it is not blank.
pub(crate) fn set(path: Option<&std::path::PathBuf>) -> Option<&Path> {
    set_path(path)
}
