//! Why a candidate is not correct, in one line: what the evaluator says, or else the last line of its log.

use crate::{Found, LogTail, Speaker, Value};

/// How much of a log's end its last line is looked for in, in bytes.
const LAST_WORDS: usize = 8 << 10;
/// The most characters of it that are shown.
const LONGEST: usize = 300;

/// The evaluator's own `error`, or else the last line of its standard error.
pub(crate) fn why(found: &Found, stderr: &LogTail) -> Option<String> {
    said(found).or_else(|| last_line(stderr))
}

/// What `correct.json` says in `error`.
fn said(found: &Found) -> Option<String> {
    let error = found.correct.as_ref().ok()?.as_object()?.get("error")?;
    let Value::String(error) = error else { return None };
    let lines = plain(error);
    // Of a traceback the last line says what it was.
    let is_traceback = lines.trim_start().starts_with("Traceback ");
    let mut words = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = if is_traceback { words.next_back() } else { words.next() };
    line.map(shortened)
}

fn last_line(stderr: &LogTail) -> Option<String> {
    last_spoken(&end_of(stderr, LAST_WORDS)).map(shortened)
}

/// The end of a log as plain text, of at most so many bytes.
pub(crate) fn end_of(log: &LogTail, limit: usize) -> String {
    let start = log.bytes.len().saturating_sub(limit);
    plain(&String::from_utf8_lossy(&log.bytes[start..]))
}

/// The last line of a text that the evaluator said.
pub(crate) fn last_spoken(text: &str) -> Option<&str> {
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && Speaker::of(line) == Speaker::Evaluator)
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

/// A text without control characters and terminal escapes (ECMA-48), but for the ends of lines.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.next_if_eq(&'[').is_some() => {
                // Parameters, then one final byte.
                while chars.next_if(|c| matches!(c, '\x20'..='\x3f')).is_some() {}
                chars.next_if(|c| matches!(c, '\x40'..='\x7e'));
            }
            '\n' | '\t' => plain.push(c),
            // A progress bar writes its line again and again: what stands last is what is seen.
            '\r' => plain.push('\n'),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unusable;

    fn log(text: &str) -> LogTail {
        LogTail { bytes: text.as_bytes().to_vec(), omitted: 0 }
    }

    fn of(correct: &str, stderr: &str) -> Option<String> {
        let correct = Value::parse(correct.as_bytes()).map_err(Unusable::Broken);
        why(&Found { correct, metrics: Err(Unusable::Missing) }, &log(stderr))
    }

    #[test]
    fn the_evaluators_word_comes_first() {
        let cases = [
            (r#"{"error": "overlap"}"#, "ValueError: no\n", Some("overlap")),
            (r#"{"error": " \n one\ntwo"}"#, "", Some("one")),
            (
                r#"{"error": "Traceback (most recent call last):\n  x\nKeyError: 1"}"#,
                "",
                Some("KeyError: 1"),
            ),
            (r#"{"error": null}"#, "a\nlast\n\nsortie: stopped\n", Some("last")),
            (
                r#"{"error": ""}"#,
                "slurmstepd: error: x\n[2026-11-30T05:50:03.062] error: x\n",
                None,
            ),
            ("[1]", "\x1b[1;31mRed: bad\x1b[0m\x07\n", Some("Red: bad")),
            ("{}", " 10%\r 50%\r 99%", Some("99%")),
        ];
        for (correct, stderr, expected) in cases {
            assert_eq!(of(correct, stderr).as_deref(), expected, "{correct} {stderr:?}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        let line = of("{}", &"ä".repeat(1000)).unwrap();
        assert_eq!(line.chars().count(), LONGEST + 1);
        assert!(line.ends_with('…'));
    }
}
