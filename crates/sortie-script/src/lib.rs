//! Text that a shell reads.
//!
//! [`quote`] writes any argument as one word of bash. [`sourced`] and [`hooked`] give the command
//! line that activates an environment on this machine, announces on file descriptor [`READY_FD`]
//! that it is active, and becomes the command: no shell stays behind, and a command whose
//! environment failed is never started.
//!
//! ```
//! use sortie_script::{quote, sourced};
//!
//! let argv = sourced("venv/my env/bin/activate".as_ref(), &["python".into(), "$(id)".into()]);
//! assert_eq!(argv[..2], ["bash", "-lc"]);
//! // What the user gave are arguments of the text, argv[2]; they are never spliced into it.
//! assert_eq!(argv[4..], ["venv/my env/bin/activate", "python", "$(id)"]);
//! // For people, who may paste it.
//! assert_eq!(quote("$(id)".as_ref())?, "'$(id)'");
//! # Ok::<(), sortie_script::NulByte>(())
//! ```
//!
//! # Architecture invariant
//!
//! This crate is a function from values to text. It touches no file, clock or environment, starts
//! nothing, and knows nothing async: whether a script exists is for its callers to find out.

mod batch;
mod local;
mod quote;

pub use batch::{
    Attempt, BatchActivation, BatchScript, Environment, Jobs, OWN_OPTIONS, ScriptError,
    is_of_the_launcher,
};
pub use local::{READY_FD, Step, hooked, sourced};
pub use quote::{NulByte, quote};
