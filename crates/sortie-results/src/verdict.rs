//! What an outcome, and what was found after it, mean for the candidate.

use std::path::Path;

use crate::blame::{Programs, blame};
use crate::why::why;
use crate::{Fault, LogTail, Outcome, Unusable, Value, names};

/// What an evaluator's two files were found to hold.
#[derive(Debug)]
pub struct Found {
    /// `correct.json`.
    pub correct: Result<Value, Unusable>,
    /// `metrics.json`.
    pub metrics: Result<Value, Unusable>,
}

impl Found {
    /// What reading either file gives.
    pub(crate) fn by(read: impl Fn(&str) -> Result<Vec<u8>, Unusable>) -> Self {
        let value = |name| Value::parse(&read(name)?).map_err(Unusable::Broken);
        Self { correct: value(names::CORRECT), metrics: value(names::METRICS) }
    }
}

/// What an attempt means for its candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// True only if the evaluator said so, ended with exit code 0, and nothing else was wrong.
    pub correct: bool,
    /// Whose fault it is, if something went wrong. A candidate judged not correct is no fault.
    pub fault: Option<Fault>,
    /// What went wrong, in one line.
    pub detail: Option<String>,
}

/// What else there is to judge an attempt by.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The end of the evaluator's standard error.
    pub stderr: &'a LogTail,
    /// The files that it may name.
    pub programs: &'a Programs,
}

/// Judges an attempt by how it ended and, if that was well, by what was found. Whose fault it is follows the one rule
/// for blame, of which `docs/blame.md` has the table. `detail` says how it ended, what is wrong with the files, and why:
/// the evaluator's own `error`, or else the last line of its standard error.
pub fn judge(outcome: &Outcome, found: &Found, evidence: Evidence<'_>) -> Verdict {
    let Evidence { stderr, programs } = evidence;
    let mut verdict = match outcome {
        Outcome::Exited { code: 0 } => judge_files(found),
        _ => Verdict {
            correct: false,
            fault: blame(outcome, found, stderr, programs),
            detail: Some(outcome.to_string()),
        },
    };
    if !verdict.correct && outcome.is_of_the_evaluator() {
        verdict.add(why(found, stderr));
    }
    verdict
}

/// Something wrong with a file: whose fault, and what in words.
struct Problem(Fault, String);

fn judge_files(found: &Found) -> Verdict {
    let (correct, metrics) = (said_correct(found), check_metrics(found));
    let (correct, problems) = match (correct, metrics) {
        (Ok(correct), Ok(())) => return Verdict { correct, fault: None, detail: None },
        (Err(first), Err(second)) => (false, vec![first, second]),
        (Err(problem), Ok(())) | (Ok(_), Err(problem)) => (false, vec![problem]),
    };
    // Where the machine failed, what else is wrong says nothing about the candidate.
    let machine = problems.iter().any(|Problem(fault, _)| *fault == Fault::Infrastructure);
    let fault = if machine { Fault::Infrastructure } else { Fault::Candidate };
    let details: Vec<_> = problems.into_iter().map(|Problem(_, detail)| detail).collect();
    Verdict { correct, fault: Some(fault), detail: Some(details.join("; ")) }
}

fn said_correct(found: &Found) -> Result<bool, Problem> {
    let value = usable(names::CORRECT, &found.correct)?;
    let correct = object(names::CORRECT, value)?.get("correct");
    let correct = correct.ok_or_else(|| broken(names::CORRECT, "`correct` is missing"))?;
    correct.as_bool().ok_or_else(|| {
        let kind = correct.kind();
        broken(names::CORRECT, &format!("`correct` must be true or false, is {kind}"))
    })
}

fn check_metrics(found: &Found) -> Result<(), Problem> {
    let value = usable(names::METRICS, &found.metrics)?;
    match object(names::METRICS, value)?.get("combined_score") {
        Some(Value::Float(score)) if !score.is_finite() => {
            Err(broken(names::METRICS, &format!("`combined_score` must be finite, is {score}")))
        }
        _ => Ok(()),
    }
}

fn usable<'a>(file: &str, found: &'a Result<Value, Unusable>) -> Result<&'a Value, Problem> {
    found.as_ref().map_err(|unusable| Problem(unusable.fault(), unusable.in_file(file)))
}

fn object<'a>(file: &str, value: &'a Value) -> Result<&'a crate::Object, Problem> {
    let wrong = || broken(file, &format!("must hold an object, holds {}", value.kind()));
    value.as_object().ok_or_else(wrong)
}

fn broken(file: &str, what: &str) -> Problem {
    Problem(Fault::Candidate, format!("{file}: {what}"))
}

impl Verdict {
    /// Adds why, unless that is said already.
    fn add(&mut self, why: Option<String>) {
        let Some(why) = why else { return };
        self.detail = Some(match self.detail.take() {
            None => why,
            Some(detail) if detail.contains(&why) => detail,
            Some(detail) => format!("{detail}; {why}"),
        });
    }

    /// The same where the results dir has no space left: what went wrong is put down to that.
    pub(crate) fn without_space(self, dir: &Path) -> Self {
        let symptom = self.detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        let detail = format!("no space left on {}{symptom}", dir.display());
        Self { correct: false, fault: Some(Fault::Infrastructure), detail: Some(detail) }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const DONE: Outcome = Outcome::Exited { code: 0 };

    fn found(correct: &str, metrics: &str) -> Found {
        let parse = |text: &str| Value::parse(text.as_bytes()).map_err(Unusable::Broken);
        Found { correct: parse(correct), metrics: parse(metrics) }
    }

    fn good() -> Found {
        found(r#"{"correct": true}"#, r#"{"combined_score": 1.5}"#)
    }

    fn judged(outcome: &Outcome, found: &Found) -> Verdict {
        let (stderr, programs) = (LogTail::default(), Programs::default());
        judge(outcome, found, Evidence { stderr: &stderr, programs: &programs })
    }

    fn verdict(correct: bool, fault: Option<Fault>, detail: Option<&str>) -> Verdict {
        Verdict { correct, fault, detail: detail.map(str::to_owned) }
    }

    #[test]
    fn a_good_end_means_what_the_evaluator_said() {
        assert_eq!(judged(&DONE, &good()), verdict(true, None, None));
        let wrong = found(r#"{"correct": false, "error": "overlap"}"#, "{}");
        assert_eq!(judged(&DONE, &wrong), verdict(false, None, Some("overlap")));
    }

    #[test]
    fn the_outcome_counts_before_the_files() {
        let lost = || "gone".to_owned();
        let cases = [
            (Outcome::Exited { code: 1 }, Some(Fault::Candidate)),
            (Outcome::signaled(11), Some(Fault::Candidate)),
            (Outcome::TimedOut { limit_seconds: 2.0 }, Some(Fault::Candidate)),
            (Outcome::OutOfMemory, Some(Fault::Candidate)),
            (Outcome::OutputLimit { limit_bytes: 9 }, Some(Fault::Candidate)),
            (Outcome::Cancelled, None),
            (Outcome::not_started("no python3 on PATH"), Some(Fault::Setup)),
            (
                Outcome::NotStarted { reason: lost(), fault: Fault::Infrastructure },
                Some(Fault::Infrastructure),
            ),
            (Outcome::SetupFailed { reason: lost(), fault: Fault::Setup }, Some(Fault::Setup)),
            (
                Outcome::SubmitFailed { reason: lost(), fault: Fault::Infrastructure },
                Some(Fault::Infrastructure),
            ),
            (Outcome::NodeFailed { reason: lost() }, Some(Fault::Infrastructure)),
            (Outcome::Preempted, Some(Fault::Infrastructure)),
            (Outcome::Lost { reason: lost() }, Some(Fault::Infrastructure)),
        ];
        for (outcome, fault) in cases {
            let expected = verdict(false, fault, Some(&outcome.to_string()));
            assert_eq!(judged(&outcome, &good()), expected);
        }
    }

    #[test]
    fn bad_files_are_the_candidates_fault() {
        let cases = [
            (r#"{"correct": tru"#, "{}", "correct.json: line 1 column 13: expected a value"),
            ("[]", "{}", "correct.json: must hold an object, holds a list"),
            ("{}", "{}", "correct.json: `correct` is missing"),
            (
                r#"{"correct": 1}"#,
                "{}",
                "correct.json: `correct` must be true or false, is a number",
            ),
            (r#"{"correct": true}"#, "3", "metrics.json: must hold an object, holds a number"),
            (
                r#"{"correct": true}"#,
                r#"{"combined_score": NaN}"#,
                "metrics.json: `combined_score` must be finite, is NaN",
            ),
            (
                r#"{"correct": false}"#,
                r#"{"combined_score": -1e999}"#,
                "metrics.json: `combined_score` must be finite, is -inf",
            ),
            (
                "null",
                "null",
                "correct.json: must hold an object, holds null; \
                 metrics.json: must hold an object, holds null",
            ),
        ];
        for (correct, metrics, detail) in cases {
            let expected = verdict(false, Some(Fault::Candidate), Some(detail));
            assert_eq!(judged(&DONE, &found(correct, metrics)), expected);
        }
    }

    #[test]
    fn a_number_too_large_for_a_float_is_finite_all_the_same() {
        let metrics = format!(r#"{{"combined_score": 1{}, "spread": NaN}}"#, "0".repeat(400));
        let found = found(r#"{"correct": true}"#, &metrics);
        assert_eq!(judged(&DONE, &found), verdict(true, None, None));
    }

    #[test]
    fn a_file_that_the_machine_cannot_read_is_not_the_candidates_fault() {
        let io_error = |code| Unusable::Unreadable(io::Error::from_raw_os_error(code));
        let eio = Found { correct: Err(Unusable::Missing), metrics: Err(io_error(5)) };
        let Verdict { fault, detail, .. } = judged(&DONE, &eio);
        assert_eq!(fault, Some(Fault::Infrastructure));
        let detail = detail.unwrap();
        assert!(
            detail.starts_with("correct.json is missing; metrics.json cannot be read:"),
            "{detail}"
        );

        let forbidden = Found { correct: Err(io_error(13)), ..good() };
        assert_eq!(judged(&DONE, &forbidden).fault, Some(Fault::Candidate));
    }
}
