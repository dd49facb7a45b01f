//! What the two kinds of job in a container share.

pub(crate) mod apptainer;

pub use apptainer::ApptainerImage;

/// Implements `container` for settings with the fields of the two kinds of job in a container, but for
/// those that are not the same in both.
macro_rules! container_settings {
    ($name:ident, $this:ident => { $($field:ident: $value:expr),* }) => {
        impl $name {
            /// The container, as these settings ask for it.
            pub fn container(&self) -> sortie_model::ContainerSpec {
                use sortie_model::{ContainerSpec, ContainerUser, EngineKind};

                let set = |path| crate::activation::set_path(path).map(std::path::Path::to_owned);
                let kind = EngineKind::of(&self.engine).unwrap_or(EngineKind::Docker);
                let $this = self;
                ContainerSpec {
                    $($field: $value,)*
                    kind,
                    engine: self.engine.clone(),
                    image: self.image.clone(),
                    archive: set(self.image_tar_path.as_ref()),
                    pull: self.pull,
                    cache: set(self.image_cache.as_ref()),
                    mount_workspace: self.mount_workspace,
                    user: match self.user.as_str() {
                        "submitter" => ContainerUser::Submitter,
                        "image" => ContainerUser::Image,
                        name => ContainerUser::Named(name.to_owned()),
                    },
                    network: self.network.clone(),
                    pids_limit: self.pids_limit,
                    require_limits: self.require_limits,
                    flags: match kind {
                        EngineKind::Docker => self.docker_flags.clone(),
                        EngineKind::Apptainer => self.apptainer_flags.clone(),
                    },
                }
            }
        }
    };
}
pub(crate) use container_settings;
