//! Where a log is shown, and how.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sortie_results::Log;

use crate::forms::{LogLine, VERSION};
use crate::output;

/// What is printed to.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Stdout,
    Stderr,
}

impl Target {
    fn print(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => output::print(bytes),
            Self::Stderr => io::stderr().lock().write_all(bytes),
        }
    }

    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }
}

/// Takes a log piece by piece.
pub(super) struct Sink {
    target: Target,
    form: Form,
    /// What has to wait for what comes after it: the beginning of a character, or of a line.
    rest: Vec<u8>,
}

enum Form {
    AsItIs,
    Escaped,
    Json(&'static str),
}

impl Sink {
    pub(super) fn new(target: Target, raw: bool, json: Option<Log>) -> Self {
        let form = match json {
            Some(Log::Stdout) => Form::Json("stdout"),
            Some(Log::Stderr) => Form::Json("stderr"),
            None if raw || !target.is_terminal() => Form::AsItIs,
            None => Form::Escaped,
        };
        Self { target, form, rest: Vec::new() }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.form {
            Form::AsItIs => self.target.print(bytes),
            Form::Escaped => {
                self.rest.extend_from_slice(bytes);
                let (text, rest) = escaped(&self.rest);
                self.rest = rest;
                self.target.print(text.as_bytes())
            }
            Form::Json(stream) => {
                self.rest.extend_from_slice(bytes);
                let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
                    return Ok(());
                };
                let rest = self.rest.split_off(end + 1);
                let whole = std::mem::replace(&mut self.rest, rest);
                self.target.print(&json_lines(stream, &whole)?)
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        match self.form {
            _ if rest.is_empty() => Ok(()),
            Form::Json(stream) => self.target.print(&json_lines(stream, &rest)?),
            Form::AsItIs | Form::Escaped => self.target.print(hex(&rest).as_bytes()),
        }
    }
}

fn json_lines(stream: &'static str, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for line in text.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line).into_owned();
        serde_json::to_writer(&mut json, &LogLine { version: VERSION, stream, line })?;
        json.push(b'\n');
    }
    Ok(json)
}

/// Text that a terminal takes no commands from; and the start of a character at its end, for later.
fn escaped(bytes: &[u8]) -> (String, Vec<u8>) {
    let mut text = String::new();
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        for c in chunk.valid().chars() {
            match c {
                '\n' | '\t' => text.push(c),
                c if output::has_effect(c) => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        let invalid = chunk.invalid();
        let may_go_on = chunks.peek().is_none() && is_start(invalid);
        if may_go_on {
            return (text, invalid.to_vec());
        }
        text.push_str(&hex(invalid));
    }
    (text, Vec::new())
}

/// Whether more bytes could make a character of it.
fn is_start(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn hex(bytes: &[u8]) -> String {
    let escape = |byte: &u8| ["\\x".to_owned(), format!("{byte:02x}")];
    bytes.iter().flat_map(escape).collect()
}

/// Waits, and fails early if standard output is a pipe that nobody reads any more.
pub(super) fn wait_for_reader_to_leave(time: Duration) -> io::Result<()> {
    let stdout = io::stdout();
    let mut files = [PollFd::new(&stdout, PollFlags::empty())];
    let timeout = Timespec::try_from(time).map_err(io::Error::other)?;
    match poll(&mut files, Some(&timeout)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Ok(()),
        Ok(_) if files[0].revents().contains(PollFlags::ERR) => {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        // It was closed, or is a terminal that hung up: writing to it tells.
        Ok(_) => {
            std::thread::sleep(time);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_commands() {
        let (text, rest) = escaped("naïve\t\x1b[31mred\x07\u{9b}2J\r\n".as_bytes());
        assert_eq!((text.as_str(), rest.len()), ("naïve\t\\u{1b}[31mred\\u{7}\\u{9b}2J\\r\n", 0));
        assert_eq!(escaped(b"\xffa\xe2\x82"), ("\\xffa".to_owned(), b"\xe2\x82".to_vec()));
        assert_eq!(escaped(b"\xe2\x82\xac"), ("€".to_owned(), Vec::new()));
    }

    #[test]
    fn json_of_lines() {
        let json = String::from_utf8(json_lines("stderr", b"a\n\n\xff\"").unwrap()).unwrap();
        let expected = [r#""a""#, r#""""#, "\"\u{fffd}\\\"\""]
            .map(|line| format!("{{\"version\":1,\"stream\":\"stderr\",\"line\":{line}}}\n"));
        assert_eq!(json, expected.concat());
    }
}
