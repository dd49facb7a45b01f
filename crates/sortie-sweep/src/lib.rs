//! Sweeps: many candidates evaluated, with a ledger that survives the launcher.

mod books;
mod candidate;
mod dir;
mod disk;
mod drive;
mod entry;
mod error;
mod line;
mod lock;
mod names;
mod open;
mod path_text;
mod progress;
mod repair;
mod result_line;
mod result_lines;
mod scribe;
mod stop;
mod sweep;
mod triage;

pub use candidate::Candidate;
pub use dir::SweepDir;
pub use disk::{Disk, RealDisk};
pub use drive::Control;
pub use entry::{End, Header, Options, Session};
pub use error::SweepError;
pub use lock::Holder;
pub use open::{NewSweep, OpenSweep};
pub use progress::{Best, Counts, Progress};
pub use result_lines::ResultLines;
pub use stop::Stop;
pub use sweep::{State, Sweep};
