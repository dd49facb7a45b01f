//! Apptainer.

use std::path::Path;

use sortie_config::{ApptainerImage, ContainerSpec};
use sortie_results::AttemptId;

use super::{Engine, ImageLook};

pub(super) struct Apptainer;

impl Engine for Apptainer {
    fn version(&self) -> &'static [&'static str] {
        &["--version"]
    }

    fn advice(&self) -> &'static str {
        "install Apptainer, or set `engine` to where its command is"
    }

    fn outlives_its_script(&self) -> bool {
        false
    }

    fn removal(&self, _attempt: AttemptId) -> Option<Vec<String>> {
        None
    }

    fn image(&self, settings: &ContainerSpec, cwd: &Path) -> ImageLook {
        let path = match ApptainerImage::of(&settings.image) {
            Some(ApptainerImage::Path(path) | ApptainerImage::Archive { path, .. }) => path,
            Some(ApptainerImage::Registry(_)) | None => return ImageLook::Fetched,
        };
        let path = cwd.join(path);
        let looked = std::fs::metadata(&path).map(|_| path.display().to_string());
        let advice = "correct `image`: a SIF file, a directory or an archive that is there";
        ImageLook::Seen(
            looked.map_err(|error| (format!("{} cannot be read: {error}", path.display()), advice)),
        )
    }
}
