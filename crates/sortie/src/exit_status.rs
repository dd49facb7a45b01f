//! What the tool's exit status says. Stable.
//!
//! A job that was interrupted has 128 and the number of the signal, as in a shell.

use sortie_results::{Fault, Outcome};

/// The candidate is correct; or there was nothing to judge, and all is well.
pub const CORRECT: u8 = 0;
/// The candidate is not correct: the evaluator said so, or it crashed, ran into a limit, or left no
/// usable result.
pub const NOT_CORRECT: u8 = 1;
/// There is something that the user has to mend: the command line, the settings, the evaluator or its
/// environment.
pub const SETUP: u8 = 2;
/// The machine failed, not the candidate: worth another try. So does a standard output that cannot be
/// written to, as nobody has seen the results then; a list whose reader has had enough ends as by SIGPIPE.
pub const INFRASTRUCTURE: u8 = 3;
/// Interrupted with Ctrl-C.
pub const INTERRUPTED: u8 = of_signal(2);

/// What an attempt came to.
pub(crate) fn of(fault: Option<Fault>, outcome: &Outcome, correct: bool) -> u8 {
    match (fault, outcome) {
        (Some(Fault::Setup), _) => SETUP,
        (Some(Fault::Infrastructure), _) => INFRASTRUCTURE,
        (None, Outcome::Cancelled) => INTERRUPTED,
        (None, _) if correct => CORRECT,
        (Some(Fault::Candidate) | None, _) => NOT_CORRECT,
    }
}

/// Interrupted by the signal with that number.
pub const fn of_signal(signal: u8) -> u8 {
    128 | signal
}
