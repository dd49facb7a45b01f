//! Which engines there are.

/// A kind of engine, by which its settings are read: Docker and Podman are called alike, and which of them it is matters on a
/// node alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker or Podman.
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
    /// use sortie_config::EngineKind;
    ///
    /// assert_eq!(EngineKind::of("/opt/bin/singularity-ce"), Some(EngineKind::Apptainer));
    /// assert_eq!(EngineKind::of("runc"), None);
    /// ```
    pub fn of(command: &str) -> Option<Self> {
        let name = command.rsplit('/').next().unwrap_or_default();
        NAMES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| *kind)
    }
}
