//! Sweeps: many candidates evaluated, with a ledger that survives the launcher.

mod books;
mod candidate;
mod dir;
mod disk;
mod entry;
mod error;
mod line;
mod lock;
mod names;
mod open;
mod path_text;
mod repair;
mod result_line;
mod result_lines;
mod sweep;

pub use candidate::Candidate;
pub use dir::SweepDir;
pub use disk::{Disk, RealDisk};
pub use entry::{End, Header, Options, Session};
pub use error::SweepError;
pub use lock::Holder;
pub use open::{NewSweep, OpenSweep};
pub use result_lines::ResultLines;
pub use sweep::{State, Sweep};
