//! What set-up said when it failed: the user's script's own words, and where in it bash saw the failure.

use sortie_results::Speaker;

/// How much of the end of a log is looked at for it, in bytes.
pub(crate) const LAST_WORDS: u64 = 4096;

/// What to add to the reason: ` at FILE: line N: COMMAND: WORDS`, as far as the log has them.
pub(crate) fn of_set_up(log: &str) -> String {
    let lines = || log.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let ours = || lines().filter_map(Speaker::words_of_sortie);
    let place = ours().find_map(place);
    let theirs = || lines().filter(|line| Speaker::of(line) == Speaker::Evaluator);
    // A command of the user's own script has just failed; Lmod and conda end with advice.
    let theirs = if place.is_some() { theirs().next().map(str::to_owned) } else { error(theirs()) };
    let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
    // Where this project's scripts found the fault themselves, as of a program that is missing.
    let at_last = |line: &&str| line.starts_with("set-up failed at: ");
    let found = ours().find(|line| !at_last(line)).filter(|line| !says_no_fault(line));
    let words =
        found.map(str::to_owned).or(theirs).map(|words| format!(": {words}")).unwrap_or_default();
    place + &words
}

/// The file, line and command in a line such as "env.sh: line 3: `module load x` ended with status 1".
fn place(line: &str) -> Option<&str> {
    let (place, _) = line.rsplit_once(" ended with status ")?;
    place.contains(": line ").then_some(place)
}

/// The last of these lines, which are the last first, that speaks of an error, with the next where it ends in a colon; or else
/// the last of all.
fn error<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    const WORDS: [&str; 6] = ["error", "not found", "notfound", "unable to", "no such", "denied"];
    let lines: Vec<_> = lines.take(12).collect();
    let speaks = |line: &&str| WORDS.iter().any(|word| line.to_lowercase().contains(word));
    let at = lines.iter().position(speaks).unwrap_or_default();
    let next = at.checked_sub(1).and_then(|next| lines.get(next));
    let line = *lines.get(at)?;
    match next {
        Some(next) if line.ends_with(':') => Some(format!("{line} {next}")),
        _ => Some(line.to_owned()),
    }
}

fn says_no_fault(line: &str) -> bool {
    line.contains("ended with status ") || line.contains(" ignored")
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
            (
                "sortie: /e: its \"#!\" line names \"ruby\", which is not found here\n\
                 sortie: set-up failed at: evaluator (status 127); the evaluator was not started\n",
                ": /e: its \"#!\" line names \"ruby\", which is not found here",
            ),
            (
                "sortie: hook.sh: status 1, ignored as conda does\nno licence\n\
                 sortie: set-up failed at: module load (status 1); the evaluator was not started\n",
                ": no licence",
            ),
            (
                "Lmod has detected the following error: The following module(s) are unknown:\n\"no/such\"\n\n\
                 Please check the spelling or version number.\n#%Module\n\
                 sortie: set-up failed at: module load (status 1); the evaluator was not started\n",
                ": Lmod has detected the following error: The following module(s) are unknown: \"no/such\"",
            ),
            (
                "EnvironmentNameNotFound: Could not find conda environment: x\nYou can list all with `conda info`.\n",
                ": EnvironmentNameNotFound: Could not find conda environment: x",
            ),
            ("if: syntax error\nsortie: e: ended with status 2\n", ": if: syntax error"),
        ] {
            assert_eq!(of_set_up(log), said, "{log}");
        }
    }
}
