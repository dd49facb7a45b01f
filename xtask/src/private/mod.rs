//! What the private Slurm and the private Docker engine have in common: a place of their own under
//! `target`, and processes told by what they are.

mod place;
mod processes;

pub(crate) use place::{ensure_plain, hash, lock, remove, sockets, tail};
pub(crate) use processes::{Process, Seen, contains, find, first_of_namespace, gone, list};
