//! Who said a line of a job's log.

/// Lines of the scripts and launchers of this project begin so.
const SORTIE: &str = "sortie: ";
/// Until Slurm 24.11 its lines begin with a program's name; where one machine has several nodes, theirs follows it.
const SLURM: [&str; 2] = ["slurmstepd", "srun"];

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The evaluator, what it ran, or what set it up.
    Evaluator,
    /// This project.
    Sortie,
    /// Slurm.
    Slurm,
}

impl Speaker {
    /// Who said the line. From Slurm 25.05 on its own begin with the time:
    /// `[2026-11-30T05:50:03.062] error: StepId=77.batch exceeded memory limit (…), being killed`.
    pub fn of(line: &str) -> Self {
        if line.starts_with(SORTIE) || line.starts_with("[sortie: ") {
            Self::Sortie
        } else if has_slurms_name(line) || has_slurms_time(line) {
            Self::Slurm
        } else {
            Self::Evaluator
        }
    }

    /// What this project says in a line of its own.
    pub fn words_of_sortie(line: &str) -> Option<&str> {
        line.strip_prefix(SORTIE)
    }
}

/// Whether a line begins as `slurmstepd: ` or `slurmstepd-n1: ` does.
fn has_slurms_name(line: &str) -> bool {
    let program = line.split_once(": ").map_or("", |(program, _)| program);
    let (program, node) = program.split_once('-').unwrap_or((program, "n"));
    SLURM.contains(&program) && !node.is_empty() && !node.contains(char::is_whitespace)
}

/// Whether a line begins as `[2026-11-30T05:50:03.062] error: ` does; a fraction of the second is a matter of
/// Slurm's settings.
fn has_slurms_time(line: &str) -> bool {
    let time = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    time.is_some_and(|(time, words)| {
        time.parse::<jiff::civil::DateTime>().is_ok()
            && time.contains('T')
            && (["error: ", "fatal: "].iter().any(|level| words.starts_with(level))
                || has_slurms_name(words))
    })
}

#[cfg(test)]
mod tests {
    use super::Speaker::{self, Evaluator, Slurm, Sortie};

    #[test]
    fn each_is_known_by_how_its_lines_begin() {
        for (line, speaker) in [
            ("sortie: env.sh: line 3: `x` ended with status 1", Sortie),
            ("[sortie: 12 bytes left out]", Sortie),
            ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.batch.", Slurm),
            ("slurmstepd-n1: error: *** JOB 118 ON n1 CANCELLED AT 2026-11-30T09:11:05 ***", Slurm),
            ("[2026-11-24T15:33:03.000] slurmstepd-n1: error: Detected 2 oom_kill events", Slurm),
            ("srun: error: node1: task 0: Killed", Slurm),
            ("slurmstepd of mine: x", Evaluator),
            ("slurmstepd- x: y", Evaluator),
            ("[2026-11-30T05:50:03.062] error: StepId=77.batch exceeded memory limit", Slurm),
            ("[2026-11-30T05:50:03] error: *** JOB 77 ON n1 CANCELLED ***", Slurm),
            ("[2026-11-30T05:50:03] epoch 4", Evaluator),
            ("[worker 1] error: no", Evaluator),
            ("error: exceeded memory limit", Evaluator),
            ("my slurmstepd: error: x", Evaluator),
            ("", Evaluator),
        ] {
            assert_eq!(Speaker::of(line), speaker, "{line}");
        }
    }
}
