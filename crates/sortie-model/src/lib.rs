#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate touches no file and starts nothing. A type is here if several crates mean the same by it; one that a single
//! crate uses is there.

mod activation;
mod attempt;
mod container;
pub mod names;
mod outcome;
pub mod protocol;
mod read_limits;
mod start;
mod usage;

pub use activation::Activation;
pub use attempt::{AttemptId, AttemptIdError};
pub use container::{ContainerSpec, ContainerUser, EngineKind, PullPolicy, WORKSPACE, inside};
pub use outcome::{Fault, Outcome};
pub use protocol::{End, JobEnd, JobStart};
pub use read_limits::ReadLimits;
pub use start::Start;
pub use usage::{Seconds, Usage};
