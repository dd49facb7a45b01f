//! The traceback that Python prints when an exception ends it, as far as it tells where that was raised.

use crate::Speaker;

/// What opens a traceback, <https://docs.python.org/3/library/traceback.html>.
const HEADER: &str = "Traceback (most recent call last):";
/// What stands between two tracebacks of which one led to the other.
const CHAINS: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

/// A traceback at the end of a log, with those that led to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traceback<'a> {
    /// The files of its frames, in their order, outermost first; of a syntax error the file that has it is the last.
    pub(crate) files: Vec<&'a str>,
    /// The exception's class, without its module.
    pub(crate) error: &'a str,
    /// What follows it.
    message: &'a str,
}

impl<'a> Traceback<'a> {
    /// The one that ends a text; none where anything else was said after it, but by the launcher or Slurm.
    pub(crate) fn last_in(text: &'a str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let spoken = |line: &&str| !line.is_empty() && Speaker::of(line) == Speaker::Evaluator;
        let end = lines.iter().rposition(spoken)?;
        let (error, message) = exception(lines[end])?;
        let files = frames(&lines[..end]);
        (!files.is_empty()).then_some(Self { files, error, message })
    }

    /// The module that was not found.
    pub(crate) fn missing_module(&self) -> Option<&'a str> {
        self.message.strip_prefix("No module named ")?.split('\'').nth(1)
    }
}

/// The class and the message of the line that ends a traceback: `pkg.Error: message`.
fn exception(line: &str) -> Option<(&str, &str)> {
    let (class, message) = line.split_once(": ").unwrap_or((line, ""));
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let name = class.rsplit('.').next().unwrap_or(class);
    (class.chars().all(is_name) && !name.is_empty()).then_some((name, message))
}

/// The files of the frames that lead to the end of these lines, through all that is chained to it.
fn frames<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut files: Vec<&str> = Vec::new();
    let mut lines = lines.iter().rev().peekable();
    while let Some(line) = lines.next() {
        if let Some(file) = frame(line) {
            files.push(file);
        } else if *line == HEADER {
            // Another one belongs to it only where that is said.
            while lines.next_if(|line| line.is_empty()).is_some() {}
            if lines.next_if(|line| CHAINS.contains(line)).is_none() {
                break;
            }
        } else if !line.is_empty() && !line.starts_with(' ') && exception(line).is_none() {
            // A syntax error of the script itself has no header: what is before it is something else.
            break;
        }
    }
    files.reverse();
    files
}

/// `  File "evaluate.py", line 3, in main`
fn frame(line: &str) -> Option<&str> {
    let (file, rest) = line.strip_prefix("  File \"")?.rsplit_once("\", line ")?;
    rest.starts_with(|c: char| c.is_ascii_digit()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts_with_what_led_to_it() {
        let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nKeyError: 1\n\
            some words\n\
            Traceback (most recent call last):\n  File \"b.py\", line 2, in f\n    x\n    ^\nKeyError: 'b'\n\n\
            During handling of the above exception, another exception occurred:\n\n\
            Traceback (most recent call last):\n  File \"c.py\", line 3, in <module>\n    import d\n\
            ModuleNotFoundError: No module named 'd.e'\n\nslurmstepd: error: gone\n";
        let traceback = Traceback::last_in(text).unwrap();
        assert_eq!(traceback.files, ["b.py", "c.py"]);
        assert_eq!(
            (traceback.error, traceback.missing_module()),
            ("ModuleNotFoundError", Some("d.e"))
        );
    }

    #[test]
    fn a_syntax_error_of_the_script_has_no_header() {
        let text = "warning: odd\n  File \"/a b/evaluate.py\", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n";
        let traceback = Traceback::last_in(text).unwrap();
        assert_eq!((traceback.files, traceback.error), (vec!["/a b/evaluate.py"], "SyntaxError"));
    }

    #[test]
    fn other_words_are_none() {
        for text in
            ["", "\n", "ValueError: 1", "it failed: badly", "Traceback (most recent call last):"]
        {
            assert_eq!(Traceback::last_in(text), None, "{text:?}");
        }
    }
}
