//! The script for Slurm: its text, and what a real bash makes of it, with Slurm's variables faked.

mod case;
mod ends;
mod environment;
mod node;
mod random;
mod refused;
mod setup;
mod slurm;
mod stops;
mod texts;
