//! Sweeps, through the public API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod ledger;
mod runs;
mod stage;
