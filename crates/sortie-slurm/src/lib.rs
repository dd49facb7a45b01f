//! Slurm's commands.
mod client;
mod cluster;
mod command;
mod environment;
mod error;
mod id;
mod info;
mod jitter;
mod site;
mod state;
mod submit;
mod tables;
mod words;

pub use client::{Client, Submission};
pub use cluster::Cluster;
pub use error::{Advice, Error};
pub use id::{BadJobId, BadJobName, JobId, JobName};
pub use info::{ExitCode, JobInfo};
pub use site::Site;
pub use state::{Ending, JobState, Phase};
pub use submit::{Retry, SubmitError};
pub use tables::Jobs;
