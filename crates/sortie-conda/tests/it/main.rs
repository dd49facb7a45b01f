//! Environments on disk, found and activated.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod activate;
mod find;
mod root;
mod variables;
mod world;
