//! Jobs watched on a made-up cluster, with time that passes at once; and the client, with shims in
//! place of Slurm's commands.
#![allow(missing_docs, clippy::unwrap_used)]

mod stage;
mod world;

mod asking;
mod latency;
mod outages;
mod random;
mod submitting;
mod vanished;
mod whole;
