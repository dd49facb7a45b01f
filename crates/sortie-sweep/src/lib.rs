#![doc = include_str!("../README.md")]
//!
//! # The directory of a sweep
//!
//! | file | holds |
//! | --- | --- |
//! | `ledger.jsonl` | what there is to do, what was begun, what is done: appended to by one launcher, see below |
//! | `results.jsonl` | a line for each candidate that is done, in the order of their ends: JSON, see below |
//! | `settings.yaml` | the settings of its jobs, which a launcher that takes it up again uses |
//! | `lock` | locked by the launcher that sees to the sweep, and naming it |
//! | `ID/` | the results dir of each candidate |
//!
//! A line of results is an object with the members `id` and `candidate`, then those of [`Results`] in JSON, then
//! `submitted_at`, `started_at`, `ended_at`, `host` and `evaluator_sha256` of the attempt's record, which are `null` where there
//! is none.
//!
//! A line of the ledger is eight hexadecimal digits of a CRC-32, a space, and an object with one member that says what
//! the line is about: `sweep` (the first line: version, working directory, options, number of candidates), `candidate`
//! (a line each, right after it), `session` (a launcher sees to it from here on), `start` (candidates are about to be
//! handed over), `evaluator` (which one the ends up to the next such line, or session, were made with), `end` (a candidate is done: where its line is among the results, the line's CRC-32, the gist of it),
//! `cut` (results beyond an offset were found damaged, and count no more), and `again` (candidates that were done are to be run
//! again, each with the attempt that counts no more: their lines are taken out of the results, those behind them move up).
//!
//! # Theory of operation
//!
//! The truth about each job is in its results dir: a note before Slurm is asked, a record at its end. The ledger says what
//! was asked for, and which results have been written down. So a launcher may be killed at any instruction:
//!
//! 1. A sweep is there once its ledger has its name; its candidates are on disk then, and never change.
//! 2. A `start` is noted before its candidates are handed to the scheduler, and on Slurm is on disk before.
//! 3. The line of a candidate is written, then its `end`. Both are on disk a second later.
//!
//! [`OpenSweep::resume`] cuts the ledger after its last whole line, and the results after the last line for which there is an
//! end. Candidates with an end are done. Of those with a start and no end, one that has a record is taken as it is; one
//! that has a note is looked for in Slurm and taken up; any other is run again, as are those that were cancelled or that
//! the infrastructure or the set-up failed.
//!
//! Candidates with an end are run again where that is asked for ([`OpenSweep::again`]), or where the set-up has failed
//! many in a row, with one and the same complaint: then the sweep stops, as it does when its disk is full. The results
//! without their lines are written to `results.jsonl.new`, then an `again` is noted, then the file gets its name. Of the
//! two files the one counts that the ledger speaks of.
//!
//! One task hands out and listens; another, the writer, reads results, writes and syncs, for many candidates at once.
//! What is with the scheduler or waits to be written is bounded, so memory does not grow with the sweep but for its list of
//! candidates.
//!
//! # Architecture invariant
//!
//! This crate prints nothing, and does not know what is in the settings it keeps a copy of. How a job is run is left to
//! `sortie-scheduler`, what is in a results dir to `sortie-results`.
//!
//! [`Results`]: sortie_results::Results

mod again;
mod breaker;
mod candidate;
mod dir;
mod disk;
mod drive;
mod entry;
mod error;
mod evaluators;
mod files;
mod ids;
mod line;
mod looks;
mod names;
mod open;
mod path_text;
mod progress;
mod python;
mod reads;
mod recovery;
mod repair;
mod result_line;
mod result_lines;
mod sources;
mod stop;
mod summary;
mod sweep;
mod writer;
mod writer_thread;

pub use candidate::Candidate;
pub use dir::SweepDir;
pub use disk::{Disk, RealDisk};
pub use drive::Control;
pub use entry::{End, Header, Options, Session};
pub use error::SweepError;
pub use evaluators::Evaluator;
pub use open::{NewSweep, OpenSweep};
pub use progress::{Best, Counts, Left, Progress};
pub use result_line::ResultLine;
pub use result_lines::ResultLines;
pub use sources::{SourceError, Sources};
pub use stop::Stop;
pub use summary::Summary;
pub use sweep::{State, Sweep};
