//! What a helper process tells of an error before it leaves, so that it does not go with it.

use std::any::Any;
use std::fmt;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::wire::{self, Reply};

/// What a helper could not do, and why.
#[derive(Debug)]
pub(crate) struct Failure {
    doing: &'static str,
    error: io::Error,
}

/// Says of an error what it came of.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure { doing, error: error.into() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.error)
    }
}

/// Does what a helper does; why it failed, if it did.
pub(crate) fn attempt(work: impl FnOnce() -> Result<(), Failure>) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.err().map(|failure| failure.to_string()),
        Err(panic) => Some(format!("it panicked: {}", said(&*panic))),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("it does not say why")
}

/// The first byte of what the spawn server says where it fails, or cannot start, in place of its protections; …
pub(crate) const FAILED: u8 = u8::MAX;
/// … and where it cannot make a reaper, whose number follows, but goes on.
pub(crate) const REFUSED: u8 = u8::MAX - 1;

/// Tells the launcher why the spawn server fails, or makes no reaper; there is nobody else to tell if that is not possible.
pub(crate) fn tell_of_spawn_server(mut launcher: &UnixStream, of: Option<u64>, why: &str) {
    let what = of.map_or(vec![FAILED], |number| [&[REFUSED][..], &number.to_le_bytes()].concat());
    let _ = launcher.write_all(&[&what, why.replace('\n', " ").as_bytes(), b"\n"].concat());
}

/// What a spawn server has said.
#[derive(Default)]
pub(crate) struct Said {
    unread: Vec<u8>,
    failed: Option<String>,
    refused: Vec<(u64, String)>,
}

impl Said {
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        while let Some((number, why, length)) = line(&self.unread) {
            self.unread.drain(..length);
            match number {
                Some(number) => self.refused.push((number, why)),
                None => self.failed = Some(why),
            }
        }
    }

    /// Why there is no reaper with that number.
    pub(crate) fn of(&mut self, number: u64) -> Option<String> {
        let at = self.refused.iter().position(|(other, _)| *other == number);
        at.map(|at| self.refused.swap_remove(at).1).or_else(|| self.failed.clone())
    }
}

/// Tells the launcher why a reaper fails, likewise.
pub(crate) fn tell_of_reaper(launcher: &UnixStream, why: String) {
    let _ = wire::write_reply(launcher, &Reply::Failed { why });
}

/// The launcher's end of standard input, before that is anything else.
pub(crate) fn given_socket(stdin: impl AsFd) -> io::Result<UnixStream> {
    Ok(stdin.as_fd().try_clone_to_owned()?.into())
}

/// What the spawn server has said first: of which reaper, why, and how many bytes that are.
fn line(said: &[u8]) -> Option<(Option<u64>, String, usize)> {
    let (number, head) = match said.split_first()? {
        (&REFUSED, rest) => (Some(u64::from_le_bytes(*rest.first_chunk()?)), 9),
        _ => (None, 1),
    };
    let length = said[head..].iter().position(|byte| *byte == b'\n')?;
    let why = String::from_utf8_lossy(&said[head..head + length]).into_owned();
    Some((number, why, head + length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_spawn_server_says_may_come_in_pieces() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tell_of_spawn_server(&ours, Some(10), "no\nroom");
        tell_of_spawn_server(&ours, None, "broken");
        let mut bytes = [0; 64];
        let length = io::Read::read(&mut &theirs, &mut bytes).unwrap();
        let mut said = Said::default();
        for byte in &bytes[..length] {
            assert_eq!(said.failed, None);
            said.hear(&[*byte]);
        }
        assert_eq!(said.of(10).as_deref(), Some("no room"));
        assert_eq!(said.of(10).as_deref(), Some("broken"));
    }

    #[test]
    fn a_panic_is_a_failure() {
        let why = attempt(|| panic!("that was {}", 1));
        assert_eq!(why.as_deref(), Some("it panicked: that was 1"));
    }
}
