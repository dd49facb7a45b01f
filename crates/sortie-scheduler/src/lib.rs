#![doc = include_str!("../README.md")]
//!
//! # Theory of operation
//!
//! ```text
//!   JobScheduler ──▶ Table: what is queued, running, finished     (plain data behind a lock)
//!        │              ▲
//!        │ jobs         │ started, ended
//!        ▼              │
//!   dyn Executor ──▶ Reporter, one for each job it took
//! ```
//!
//! The facade keeps the table and hands jobs to the executor while fewer than `max_workers` run. The
//! executor takes jobs, and requests to stop some. It is never asked how they are: it says so, through
//! the `Reporter` that comes with each job, so that a local job's end costs no
//! polling, and asking the scheduler for the status of a thousand jobs costs one look into the table.
//! A reporter that is dropped without having told the end reports the job as lost: every job ends in
//! exactly one outcome.
//!
//! # A job of another process
//!
//! The files of a job outlive its scheduler. [`JobHandle`] reads them: it tells where a job stands and what came of it, and
//! has it ended by the process that sees to it. It needs the results dir and nothing else.
//!
//! # GPUs and CPUs
//!
//! Jobs of this machine share what it has, unless their settings say what each is to have to itself (`gpus`, `cpus`). Then no more
//! run at once than there is enough for, of what the launcher may use itself; each is bound to its own CPUs, and finds its own GPUs in
//! the variable that names the launcher's. All schedulers of a process deal from one hand, and who has waited longest comes first. Other
//! processes deal by themselves.
//!
//! # Architecture invariant
//!
//! This crate does not know YAML and prints nothing.

mod check;
mod clean;
mod container;
mod descriptors;
mod devices;
mod engine;
mod error;
mod evaluator;
mod event;
mod executor;
mod handle;
mod hangs;
mod here;
mod job;
mod local;
mod near;
mod options;
mod preflight;
mod preview;
mod recent;
mod request;
mod said;
mod scheduler;
mod shared;
mod slurm;
mod table;

pub use check::{Finding, NodeCheck, Problem, check};
pub use clean::clean;
pub use error::SchedulerError;
pub use evaluator::evaluator_sha256;
pub use event::{Event, Events};
pub use handle::{HandleError, JobHandle, JobLease, JobView, LogReader, holder, pause};
pub use job::{Finished, JobId, Status};
pub use options::SchedulerOptions;
pub use preflight::preflight;
pub use preview::{Preview, preview};
pub use request::Request;
pub use scheduler::JobScheduler;
pub use sortie_results::{Consent, JobState, Log, Start};
