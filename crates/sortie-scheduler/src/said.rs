//! What set-up said when it failed: the user's script's own words, and where in it bash saw the failure.

/// How much of the end of a log is looked at for it, in bytes.
pub(crate) const LAST_WORDS: u64 = 4096;

/// What is said by the scripts of this project begins so.
const OURS: &str = "sortie: ";

/// What to add to the reason: ` at FILE: line N: COMMAND: WORDS`, as far as the log has them.
pub(crate) fn of_set_up(log: &str) -> String {
    let lines = || log.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let ours = || lines().filter_map(|line| line.strip_prefix(OURS));
    let place = ours().find_map(place).map(|place| format!(" at {place}")).unwrap_or_default();
    let theirs = lines().find(|line| !line.starts_with(OURS) && !line.starts_with("[sortie: "));
    // Where this project's scripts found the fault themselves, as of a program that is missing.
    let found = ours().next().filter(|line| !says_only_that_it_ended(line));
    let words = found.or(theirs).map(|words| format!(": {words}")).unwrap_or_default();
    place + &words
}

/// The file, line and command in a line such as "env.sh: line 3: `module load x` ended with status 1".
fn place(line: &str) -> Option<&str> {
    let (place, _) = line.rsplit_once(" ended with status ")?;
    place.contains(": line ").then_some(place)
}

fn says_only_that_it_ended(line: &str) -> bool {
    line.contains("ended with status ") || line.starts_with("set-up failed at: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_own_words_count_and_where_they_were_said() {
        for (log, said) in [
            ("", ""),
            ("sortie: env.sh: ended with status 8; the command was not started\n", ""),
            (
                "hello\nenv.sh: line 3: gcc12: command not found\nsortie: env.sh: line 3: `gcc12 -v` ended with status 127\n\
                 sortie: set-up failed at: activate script (status 127); the evaluator was not started\n",
                " at env.sh: line 3: `gcc12 -v`: env.sh: line 3: gcc12: command not found",
            ),
            (
                "no licence\n\nsortie: env.sh: line 1: `false` ended with status 1; the command was not started\n",
                " at env.sh: line 1: `false`: no licence",
            ),
            (
                "a banner\nsortie: python: not found; PATH is /x\n",
                ": python: not found; PATH is /x",
            ),
            ("if: syntax error\nsortie: e: ended with status 2\n", ": if: syntax error"),
        ] {
            assert_eq!(of_set_up(log), said, "{log}");
        }
    }
}
