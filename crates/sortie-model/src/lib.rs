#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate touches no file and starts nothing. A type is here if several crates mean the same by it; one that a single
//! crate uses is there.

pub mod names;
