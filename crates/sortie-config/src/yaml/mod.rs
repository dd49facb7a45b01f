//! Settings from YAML and back.
//!
//! The text becomes a tree whose nodes know their line and column ([`node`], [`build`], [`merge`]), its plain scalars are
//! resolved as the reference's loader does ([`scalar`]), the part that holds the settings is looked
//! up ([`file`], [`kind`], [`interpolation`]), and serde fills the structs from it ([`de`]),
//! after what is set beside the file has been put in ([`layers`]). `serde_yaml` has
//! neither places for nodes nor integers beyond 128 bits, and reads YAML 1.2 only.

mod build;
mod de;
mod emit;
mod error;
mod file;
mod interpolation;
mod kind;
mod layers;
mod merge;
mod node;
mod scalar;

pub use emit::WriteError;
pub use error::ConfigError;
pub(crate) use error::nearest;
pub use layers::{Effective, Layers};
