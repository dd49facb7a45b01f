//! Settings from real files, the way back, and Python as the judge of `str`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod files;
mod layers;
mod merge;
mod python;
mod references;
mod round_trip;
mod scalars;
mod schema;
mod sections;
mod template;
mod values;
