//! What came of a sweep, for people.

use std::fmt::Write;
use std::path::Path;

use sortie_sweep::{Counts, Evaluator, Summary};

use crate::failure::with_dir;
use crate::output::one_line;

/// A few lines.
pub(crate) fn text(summary: &Summary, dir: &Path) -> String {
    let Summary { candidates, waiting, done, outcomes, score, best, .. } = summary;
    let mut text = match waiting {
        0 if *candidates == 1 => format!("the candidate is done: {}\n", counts(done)),
        0 => format!("all {candidates} candidates are done: {}\n", counts(done)),
        left => format!(
            "{} of {candidates} candidates are done, {left} are not: {}\n",
            done.total(),
            counts(done)
        ),
    };
    let outcomes: Vec<_> = outcomes.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if !outcomes.is_empty() {
        let _ = writeln!(text, "outcomes: {}", outcomes.join(", "));
    }
    if let Some(changed) = changed(&summary.evaluators) {
        let _ = writeln!(text, "{changed}");
    }
    if !best.is_empty() {
        let _ = writeln!(text, "best by {}:", one_line(score));
    }
    for best in best {
        let (id, candidate) = (one_line(&best.id), one_line(&best.candidate));
        let _ = writeln!(text, "  {:<20} {id}  {candidate}", best.score);
    }
    let worth_it = [(done.setup, "setup"), (done.infrastructure, "infrastructure")];
    let worth_it: Vec<_> = worth_it.iter().filter(|(n, _)| *n > 0).map(|(_, it)| *it).collect();
    if !worth_it.is_empty() {
        let faults = worth_it.join(",");
        let again = with_dir("sortie sweep --resume DIR", dir);
        let _ = writeln!(text, "run those again: `{} --again {faults}`", one_line(&again));
    }
    text
}

/// That there was more than one evaluator, if so.
pub(crate) fn changed(evaluators: &[Evaluator]) -> Option<String> {
    let several = evaluators.len() > 1;
    several.then(|| format!("the evaluator changed: {}", Evaluator::in_words(evaluators)))
}

/// As in `3 correct, 2 failed (candidate at fault)`.
pub(crate) fn counts(counts: &Counts) -> String {
    let Counts { correct, incorrect, candidate, setup, infrastructure, stopped } = *counts;
    let mut parts = vec![format!("{correct} correct")];
    let further = [
        (incorrect, "not correct"),
        (candidate, "failed (candidate at fault)"),
        (setup, "failed (set-up at fault)"),
        (infrastructure, "failed (infrastructure at fault)"),
        (stopped, "stopped"),
    ];
    parts.extend(further.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    parts.join(", ")
}
