//! The tool itself: its binary, run on real evaluators.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod activation;
mod bytes;
mod check;
mod completions;
mod docs;
mod environment;
mod json;
mod packing;
mod render;
mod schema;
mod settings;
mod signals;
mod slurm;
mod stage;
mod statuses;
mod streams;
mod terminal;
mod usage;
mod warm;
