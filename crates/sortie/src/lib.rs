#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! Nothing here that a user of the libraries would miss: this crate reads arguments, asks
//! `sortie-scheduler`, and prints. It is the only crate that does print, and what it prints on standard
//! output is for programs to read. A subcommand is a module.

mod attach;
mod attend;
mod cancel;
mod check;
mod clean;
mod cli;
mod completions;
mod config;
mod detached;
mod failure;
mod forms;
mod init;
mod job;
mod log;
mod logs;
mod ls;
mod man;
mod output;
mod progress;
mod render;
mod report;
mod results;
mod run;
mod runtime;
mod schema;
mod signals;
mod status;
mod submit;
mod sweep;
mod sweep_open;
mod sweep_progress;
mod sweep_score;
mod sweep_summary;
mod view;
mod wait;

pub mod exit_status;

pub use cli::main;
