//! The texts as people review them, and as a real bash reads them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod apptainer;
mod bash;
mod batch;
mod check;
mod container;
mod hooked;
mod quoting;
mod sourced;
mod texts;
