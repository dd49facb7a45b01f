#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate knows nothing of processes and nothing async, and touches no file but the YAML it is
//! given: whether an evaluator or environment exists is for others to find out.

mod activation;
mod apptainer;
mod environment;
mod evaluator;
mod evaluator_kind;
mod extra_args;
mod fields;
mod gpus;
mod job;
mod job_type;
mod limits;
mod local;
mod local_docker;
mod memory;
mod python;
mod sbatch_args;
mod schema;
mod share;
mod slurm;
mod slurm_conda;
mod slurm_docker;
mod spec;
mod template;
mod time;
mod validate;
mod variables;
mod warm;
mod yaml;

/// Python's integers, in a [`PyValue`], are of this crate.
pub use num_bigint;

/// The patterns of an [`EnvironmentPolicy`] are of this crate.
pub use glob;

pub use apptainer::ApptainerImage;
pub use environment::EnvironmentPolicy;
pub use evaluator_kind::EvaluatorKind;
pub use gpus::{Gpus, InvalidGpus};
pub use job::JobConfig;
pub use job_type::{JobType, UnknownJobType};
pub use limits::Limits;
pub use local::LocalJobConfig;
pub use local_docker::LocalDockerJobConfig;
pub use memory::{InvalidMemory, Memory};
pub use python::PyValue;
pub use schema::{schema, schema_of};
pub use share::Share;
pub use slurm::{GpuRequest, SlurmRequest};
pub use slurm_conda::SlurmCondaJobConfig;
pub use slurm_docker::SlurmDockerJobConfig;
pub use sortie_model::{Activation, ContainerSpec, ContainerUser, EngineKind, PullPolicy};
pub use spec::{Interpreter, JobInside, JobPlace, JobSpec};
pub use time::{InvalidTimeLimit, TimeLimit};
pub use validate::InvalidSetting;
pub use variables::is_setting;
pub use warm::Warm;
pub use yaml::{ConfigError, Effective, Layers, WriteError};
