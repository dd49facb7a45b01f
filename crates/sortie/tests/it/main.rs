//! The tool itself: its binary, run on real evaluators.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod activation;
mod bytes;
mod check;
mod completions;
mod docs;
mod environment;
mod hanging;
#[path = "../../../sortie-scheduler/tests/it/hung.rs"]
mod hung;
mod json;
mod locks;
mod logs;
mod messages;
mod owner;
mod packing;
mod private;
mod render;
mod report;
mod schema;
mod settings;
mod signals;
mod slurm;
mod slurm_check;
mod slurm_owner;
mod stage;
mod statuses;
mod streams;
mod sweep;
mod sweep_dirs;
mod terminal;
mod usage;
mod warm;
