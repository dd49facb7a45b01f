//! Docker and Podman.

use std::path::Path;

use sortie_config::ContainerSpec;
use sortie_results::AttemptId;

use super::{Engine, ImageLook};

pub(super) struct Docker;

impl Engine for Docker {
    fn version(&self) -> &'static [&'static str] {
        &["version", "--format", "{{.Server.Version}}"]
    }

    fn advice(&self) -> &'static str {
        "install Docker or Podman, start it, and set `engine`, or DOCKER_HOST to where it is"
    }

    fn outlives_its_script(&self) -> bool {
        true
    }

    fn removal(&self, attempt: AttemptId) -> Option<Vec<String>> {
        Some(vec!["rm".to_owned(), "--force".to_owned(), "--volumes".to_owned(), attempt.name()])
    }

    fn image(&self, settings: &ContainerSpec, _cwd: &Path) -> ImageLook {
        let inspect = ["image", "inspect", "--format", "{{.Id}}", settings.image.as_str()];
        ImageLook::Asked(inspect.map(str::to_owned).to_vec())
    }
}
