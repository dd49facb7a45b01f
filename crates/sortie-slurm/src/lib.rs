#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate knows sbatch, squeue, sacct, scontrol and scancel, the states of jobs and the words
//! of errors. It must not know what is in a script, what a job is for, what its settings or results
//! are; where a caller has a record of a job's end, all that is seen of it here is an [`Evidence`].
//!
//! # Theory of operation
//!
//! ```text
//!   Client ── one command a call, time limit, scrubbed environment ──▶ sbatch squeue sacct …
//!     │ implements
//!   Cluster (list the queue, ask the accounts, show one job)
//!     │ asked by
//!   Watcher ── one task ──▶ one Machine a job: what was seen, when ──▶ what to ask; the end
//! ```
//!
//! **Submitting.** A failed sbatch does not say that there is no job: a busy controller takes the
//! job and answers too late. Each job has a name of its own, and a try that failed is followed by
//! looking that name up until it is certain that the job is there, and is adopted, or is not and
//! will not appear. Only then sbatch is run again; where certainty cannot be had,
//! [`SubmitError::InDoubt`] says so, and nothing is submitted twice.
//!
//! **Watching.** Files are cheap and Slurm is not. What a job leaves behind is looked for several
//! times a second, which is why its end is known at once; the queue is listed for all jobs
//! together, rarely when nothing happens; accounts are asked only about jobs that are over, or
//! gone, without a record.
//!
//! **Deciding.** A [`Machine`] is pure: it knows neither commands nor clocks, and is tested with
//! stories and random sequences. It weighs what it is told in a fixed order: the job's own record,
//! the queue, the accounts or (where there are none, or they do not help) `scontrol show job`, and
//! then time, since files and accounts may be late.
//!
//! # Invariants
//!
//! - For each [`Submission`] there is one job at most, until it is submitted anew by the caller.
//! - For each watched job there is one [`Update::Ended`], and nothing after it; and there is one in
//!   bounded time once the queue can be listed.
//! - No answer is never taken for an answer. A command that fails, hangs or prints what is not
//!   understood ends no job; a job is [`Ending::Lost`] only on a fresh list of the queue that is
//!   without it.
//! - What a user passes is never read by a shell.

mod accounts;
mod breaker;
mod client;
mod cluster;
mod command;
mod environment;
mod error;
mod id;
mod info;
mod jitter;
mod machine;
mod news;
mod pace;
mod partition;
mod site;
mod state;
mod submit;
mod tables;
mod watcher;
mod words;

pub use accounts::{Allowance, Association};
pub use breaker::{Breaker, Permit};
pub use client::{Client, Submission};
pub use cluster::{Cluster, Memory};
pub use error::{Advice, Error};
pub use id::{BadJobId, BadJobName, JobId, JobName};
pub use info::{ExitCode, JobInfo};
pub use machine::Machine;
pub use news::{Ended, Evidence, Observation, Patience, Question, Update};
pub use pace::Pace;
pub use partition::{MaxMemory, Partition};
pub use site::Site;
pub use state::{Ending, JobState, Phase};
pub use submit::{Retry, SubmitError};
pub use tables::Jobs;
pub use watcher::{Look, Report, Tracked, Watcher};
