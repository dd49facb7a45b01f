//! The runtime that what takes time is done in.

use std::fs::File;
use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// What the runtime opens: an event queue and a copy of it, what wakes it, and a pair of sockets for signals and a copy.
const DESCRIPTORS: usize = 6;

/// A runtime in this thread. Where the sockets cannot be had it would panic: so they are tried for first.
pub(crate) fn start() -> Result<Runtime, Failure> {
    let spare = (0..DESCRIPTORS).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>();
    drop(spare.map_err(Failure::Runtime)?);
    Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)
}
