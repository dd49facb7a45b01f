//! Text that others wrote, made fit to be shown: names of candidates, and their logs.
//!
//! Markup is not what this is about, that is escaped where text enters the page. It is about what a
//! browser shows in another way than it is written: control characters, colours for terminals, and
//! characters that turn the direction of what follows.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// What stands for a part that was left out.
const ELLIPSIS: char = '…';

/// On one line: line breaks are shown as `␊`, and what goes beyond so many bytes is cut out in the
/// middle, where names differ least.
pub(crate) fn line(text: &str, max_bytes: usize) -> String {
    shorten(&visible(text, false), max_bytes)
}

/// On as many lines as it has, without its blank ends.
pub(crate) fn lines(text: &str) -> String {
    visible(text, true).trim_matches('\n').trim_end().to_owned()
}

/// The last lines of a log, at most so many and so many bytes.
pub(crate) fn tail(log: &str, max_bytes: usize, max_lines: usize) -> String {
    // A character of the log is up to three bytes when it is shown, an escape sequence is none.
    let log = &log[ceil_boundary(log, log.len().saturating_sub(max_bytes * 4))..];
    let text = lines(log);
    let cut = ceil_boundary(&text, text.len().saturating_sub(max_bytes));
    let newlines = text.match_indices('\n').rev().map(|(at, _)| at + 1);
    let start = newlines.take(max_lines).last().unwrap_or(0);
    let has_more = text.matches('\n').count() >= max_lines;
    text[cut.max(if has_more { start } else { 0 })..].to_owned()
}

fn shorten(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let half = max_bytes.saturating_sub(ELLIPSIS.len_utf8()) / 2;
    let (head, tail) = (floor_boundary(text, half), ceil_boundary(text, text.len() - half));
    format!("{}{ELLIPSIS}{}", &text[..head], &text[tail..])
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Without escape sequences, and with a visible sign for each character that has none.
fn visible(text: &str, keep_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\n' | '\t' if keep_lines => shown.push(c),
            // As a program prints that draws its progress on one line.
            '\r' if keep_lines => {
                if chars.peek() != Some(&'\n') {
                    shown.push('\n');
                }
            }
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('␡'),
            c if c.is_control() || is_invisible(c) => {
                let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that have no width or change the order of others (Unicode, UAX #9 and UTS #39). The
/// joiners that emoji and some scripts need are not among them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Skips what follows an escape character (ECMA-48): a colour, a title, a link.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        Some(' '..='/') => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
        Some('0'..='~') => {
            chars.next();
        }
        _ => {}
    }
}

/// Parameters and the one character that ends them.
fn skip_control_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// Up to its terminator, but no further than the line: a sequence that never ends hides no log.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if chars.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_browser_would_hide_is_shown_or_gone() {
        let cases = [
            ("plain é 名", "plain é 名"),
            ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x \x1b]8;;http://h\x1b\\link", "red x link"),
            ("\u{9b}31mred", "red"),
            ("a\nb\tc\0\u{7f}\u{85}", "a␊b␉c␀␡⟨U+0085⟩"),
            ("invoice\u{202e}fdp.py", "invoice⟨U+202E⟩fdp.py"),
            ("a\u{200b}b\u{2028}\u{feff}", "a⟨U+200B⟩b⟨U+2028⟩⟨U+FEFF⟩"),
            ("\u{1f468}\u{200d}\u{1f4bb}", "\u{1f468}\u{200d}\u{1f4bb}"),
            ("\x1b", ""),
            ("\x1b(Bx", "x"),
        ];
        for (written, shown) in cases {
            assert_eq!(line(written, 200), shown, "{written:?}");
        }
    }

    #[test]
    fn an_unended_sequence_hides_one_line_at_most() {
        assert_eq!(lines("\x1b]0;hidden\nseen"), "seen");
    }

    #[test]
    fn progress_drawn_on_one_line_is_many_lines() {
        assert_eq!(lines("\r\n 10%\r 20%\r\ndone\n\n"), " 10%\n 20%\ndone");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(line("generation_1/candidate_1.py", 15), "genera…e_1.py");
        assert_eq!(line("ééééé", 8), "é…é");
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 100, 2), "b\nc");
        assert_eq!(tail("a\nb\nc", 100, 3), "a\nb\nc");
        assert_eq!(tail("a\nb\nc", 100, 9), "a\nb\nc");
        assert_eq!(tail("long line", 4, 9), "line");
        assert_eq!(tail("", 4, 9), "");
    }

    proptest! {
        #[test]
        fn never_longer_than_asked_and_never_hidden(text in "\\PC*|[\\x00-\\x1f\\u{202a}-\\u{202e}a<]*", max in 8..80_usize) {
            let shown = [line(&text, max), tail(&text, max, 5)];
            for shown in shown {
                prop_assert!(shown.len() <= max);
                let bare = shown.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control() && !is_invisible(c));
                prop_assert!(bare, "{shown:?}");
            }
        }
    }
}
