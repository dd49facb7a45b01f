//! What the two kinds of job in a container share.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Memory, activation::set_path};

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
    /// The engine's command: `docker` or `podman`, or a path to either.
    pub engine: &'a str,
    /// The image's name.
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
    pub flags: &'a str,
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
                    flags: &self.docker_flags,
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
