//! Questions to an engine, one file for each engine. Jobs are run by scripts, not from here.

mod apptainer;
mod docker;

use std::path::Path;

use sortie_config::{ContainerSpec, EngineKind};
use sortie_results::AttemptId;

use self::apptainer::Apptainer;
use self::docker::Docker;

/// The engine of a kind.
pub(crate) fn of(kind: EngineKind) -> &'static dyn Engine {
    match kind {
        EngineKind::Docker => &Docker,
        EngineKind::Apptainer => &Apptainer,
    }
}

/// One kind of engine.
pub(crate) trait Engine {
    /// The arguments by which its command says of which version it is, if it can run anything.
    fn version(&self) -> &'static [&'static str];

    /// What to do where it does not answer.
    fn advice(&self) -> &'static str;

    /// Whether a container outlives the script that runs it, should that be killed.
    fn outlives_its_script(&self) -> bool;

    /// The arguments that remove an attempt's container, of an engine whose containers outlive their scripts.
    fn removal(&self, attempt: AttemptId) -> Option<Vec<String>>;

    /// Whether the image, which comes from no archive, is here.
    fn image(&self, settings: &ContainerSpec, cwd: &Path) -> ImageLook;
}

/// Where it shows whether an image is here.
pub(crate) enum ImageLook {
    /// By asking the engine with these arguments.
    Asked(Vec<String>),
    /// It has been looked at: what it is, or what is wrong and what to do.
    Seen(Result<String, (String, &'static str)>),
    /// It is not here, or not yet, and will be fetched.
    Fetched,
}
