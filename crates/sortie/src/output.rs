//! Where and how things are printed: what was asked for on standard output, all else on standard
//! error. Colours only where they are seen and wanted (`NO_COLOR`).

use std::io::{self, IsTerminal, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

/// The hint where something is not there that a job needs.
pub(crate) const SEE_CHECK: &str =
    "`sortie check --config FILE` shows whether anything else is missing";

/// A value for standard output: indented for people at a terminal, else on one line.
pub(crate) fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut json = if io::stdout().is_terminal() {
        serde_json::to_vec_pretty(value)?
    } else {
        serde_json::to_vec(value)?
    };
    json.push(b'\n');
    Ok(json)
}

/// Writes all of it, or says why not.
pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// The same for text with colours, which are taken out where nobody would see them.
pub(crate) fn print_styled(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Says on standard error what is wrong. Where not even that can be written, the status has to do.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    let mut stderr = anstream::stderr().lock();
    let (red, cyan) = (bold(AnsiColor::Red), bold(AnsiColor::Cyan));
    let _ = writeln!(stderr, "{red}error{red:#}: {}", one_line(message));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "{cyan}hint{cyan:#}: {}", one_line(hint));
    }
}

/// Says on standard error what is going on.
pub(crate) fn note(message: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{}", one_line(message));
}

pub(crate) fn bold(color: AnsiColor) -> Style {
    color.on_default().bold()
}

/// The text with control characters escaped: names of files may hold line breaks, and what a terminal
/// takes for commands.
pub(crate) fn one_line(text: &str) -> String {
    let escape = |c: char| {
        if has_effect(c) { c.escape_default().to_string() } else { c.to_string() }
    };
    text.chars().map(escape).collect()
}

/// Whether a character does something to a terminal instead of being shown: a control character, the end of a line or
/// paragraph, or one that changes the direction of text (Unicode, "Bidirectional Formatting Characters").
pub(crate) fn has_effect(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_bidi || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_whatever_the_text() {
        assert_eq!(one_line("naïve\n\x1b[31m"), r"naïve\n\u{1b}[31m");
        assert_eq!(one_line("a\u{202e}b\u{2028}"), r"a\u{202e}b\u{2028}");
    }
}
