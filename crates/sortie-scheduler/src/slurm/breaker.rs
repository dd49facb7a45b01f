//! What the circuit breaker is told.

use sortie_results::{Fault, Outcome, Results};
use tokio::time::Instant;

use super::Cluster;

impl Cluster {
    /// Tells the circuit breaker how an attempt went.
    pub(super) fn learn(&self, results: &Results) {
        let mut breaker = self.breaker();
        match (results.fault, &results.outcome) {
            (Some(Fault::Infrastructure), outcome) => {
                breaker.failed(Instant::now().into_std(), &cause(&outcome.to_string()));
            }
            (_, Outcome::Cancelled) => {}
            _ => breaker.succeeded(),
        }
    }
}

/// What went wrong, in the same words for all jobs that it goes wrong for: without paths, ids and numbers.
fn cause(words: &str) -> String {
    let general = |word: &str| {
        let is_id = word.starts_with("sortie-") || word.len() >= 32;
        if is_id || word.contains('/') {
            return "…".to_owned();
        }
        let mut general = String::with_capacity(word.len());
        for c in word.chars() {
            match c {
                '0'..='9' if general.ends_with('#') => {}
                '0'..='9' => general.push('#'),
                c => general.push(c),
            }
        }
        general
    };
    words.split_whitespace().map(general).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn equal_failures_have_equal_causes() {
        let equal = [
            ("node failed: n17 failed", "node failed: n9 failed"),
            (
                "submit failed: cannot write /scratch/a b/7/job.json: No space left on device (os error 28)",
                "submit failed: cannot write /scratch/a b/812/job.json: No space left on device (os error 28)",
            ),
            (
                "submit failed: gave up submitting after 901 s: `sbatch` gave no answer in 60 s",
                "submit failed: gave up submitting after 917 s: `sbatch` gave no answer in 60 s",
            ),
            (
                "lost: the job named sortie-0198c2f4a1b2 may or may not have been submitted",
                "lost: the job named sortie-0198c2f4ffff may or may not have been submitted",
            ),
        ];
        for (one, other) in equal {
            assert_eq!(cause(one), cause(other));
        }
        assert_eq!(cause(equal[0].0), "node failed: n# failed");
        assert_ne!(cause("preempted"), cause("node failed: n1 failed"));
    }
}
