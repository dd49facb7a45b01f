//! The page as text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod large;
mod page;
mod sweep;
