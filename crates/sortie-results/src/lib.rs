#![doc = include_str!("../README.md")]
//!
//! # Theory of operation
//!
//! [`ResultsDir::claim`] takes the directory's [`Lease`], moves what an earlier attempt left there out of the
//! way, and creates the logs: what is found afterwards was written by this attempt, or by nobody.
//! The [`Claim`] holds the directories and the logs open.
//! Nothing in the results dir is trusted to be what it was: the evaluator, and the candidate in it,
//! may have emptied, replaced or closed it. [`Claim::collect`] looks for it again, reads what is a regular file of a
//! bearable size and with no other name, and
//! says of anything else what is wrong with it; [`judge`] turns that and the [`Outcome`] into a
//! [`Verdict`]. [`Claim::record`] keeps it as `job.json`, from which [`load`] has it again. A results dir that an earlier
//! sortie has used, or that was moved to elsewhere, is read with the launcher's files in it.
//!
//! An attempt that waits and runs on a cluster, perhaps for days and with thousands beside it, is not held open: its
//! claim leaves a note ([`Claim::submitted`]) that keeps others out, and [`ResultsDir::reopen`] finds it again.
//!
//! Calls block, on the file system alone and for no longer than it does.
//!
//! # Results in JSON
//!
//! [`Results`] serialise to one object with these members, in this order, all of them always there:
//!
//! | member | holds |
//! | --- | --- |
//! | `version` | the version of this form, [`FORM_VERSION`] |
//! | `correct` | boolean: the evaluator said so, and nothing went wrong |
//! | `metrics` | what `metrics.json` holds, see [`Value`] for numbers that are not finite; `{}` without a usable one |
//! | `correct_json` | what `correct.json` holds; `{"correct": false}` without a usable one |
//! | `stdout_log`, `stderr_log` | strings: the ends of the logs, see [`LogTail`] |
//! | `outcome` | object with a `kind`, see [`Outcome`] |
//! | `fault` | `null`, `"candidate"`, `"setup"` or `"infrastructure"`, see [`judge`] |
//! | `detail` | what went wrong in one line, or `null` |
//! | `seconds` | `{"queued", "running", "total"}`, see [`Seconds`] |
//! | `attempt` | 32 hexadecimal digits |
//! | `usage` | `{"cpu_user_seconds", "cpu_system_seconds", "peak_memory_bytes"}`, see [`Usage`] |
//! | `start` | object with a `kind`, see [`Start`]; `null` for one that was not started from here, as by a cluster |
//!
//! # Architecture invariant
//!
//! This crate does not know how an attempt is run: nothing of clusters or settings, and of processes no more than whether
//! the owner of a lease is there. It is told the outcome, the times and the start, and knows files.

mod blame;
mod claim;
mod dir;
mod end;
mod end_record;
mod lease;
mod leftovers;
mod look;
mod make;
mod owner;
mod place;
mod record;
mod results;
mod schema;
mod speaker;
mod state;
mod submitted;
mod sweep;
mod sync;
mod tail;
mod traceback;
mod unusable;
mod value;
mod verdict;
mod why;

use sortie_model::names;

/// The members of an [`Object`] are in a map of this crate.
pub use indexmap;

/// The times of a [`Record`] are of this crate.
pub use jiff;

pub use blame::Programs;
pub use claim::{Claim, ClaimError};
pub use dir::ResultsDir;
pub use end_record::EndRecordError;
pub use lease::{Consent, InUse, Lease, LeaseError, Owner, Standing, TAKE_OVER, who};
pub use look::{Log, Sight};
pub use owner::{NoteError, OwnerDir, OwnerNote, Stage};
pub use place::Place;
pub use record::{Record, RecordError, Run, load};
pub use results::{Ended, FORM_VERSION, Results};
pub use sortie_model::{
    AttemptId, AttemptIdError, End, Fault, JobEnd, JobStart, Outcome, ReadLimits, Seconds, Start,
    Usage,
};
pub use speaker::Speaker;
pub use state::JobState;
pub use submitted::{ReopenError, Reopened, Submitted};
pub use sweep::{LEDGER, SWEEP_LEASE, sweep_around, sweep_standing};
pub use sync::sync_submitted;
pub use tail::LogTail;
pub use unusable::Unusable;
pub use value::{BigInt, Object, ParseError, Value};
pub use verdict::{Evidence, Found, Verdict, judge};
