//! The end of a log.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use serde::{Serialize, Serializer};

use crate::Unusable;

/// How far into a tail a line may start for the tail to be cut there, in bytes.
const NEAR: usize = 4096;

/// The end of a log.
///
/// In text and JSON it is read as UTF-8, with U+FFFD for what is none, and opens with a line such as
/// `[sortie: 12345 earlier bytes left out]` if it is not the whole log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The last bytes, as written. They start with a line, if one starts near, or with a character.
    pub bytes: Vec<u8>,
    /// How many bytes there are before them.
    pub omitted: u64,
}

impl LogTail {
    /// Reads at most the last `limit` bytes. Leaves the file's position as it is.
    pub fn read(file: &File, limit: u64) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let omitted = size.saturating_sub(limit);
        // One byte more shows whether a line starts with the first.
        let start = omitted.saturating_sub(1);
        let mut bytes = read_range(file, start, size)?;
        if omitted == 0 {
            return Ok(Self { bytes, omitted });
        }
        let cut = cut(&bytes);
        bytes.drain(..cut);
        Ok(Self { bytes, omitted: start + cut as u64 })
    }

    /// In text, with the line that says what was left out.
    pub fn text(&self) -> String {
        let tail = String::from_utf8_lossy(&self.bytes);
        match self.omitted {
            0 => tail.into_owned(),
            omitted => format!("[sortie: {omitted} earlier bytes left out]\n{tail}"),
        }
    }

    /// In place of a log that cannot be read.
    pub(crate) fn unreadable(why: &Unusable) -> Self {
        Self { bytes: format!("[sortie: this log {why}]\n").into_bytes(), omitted: 0 }
    }
}

fn read_range(file: &File, mut start: u64, end: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(end - start).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], start)? {
            0 => break,
            read => {
                filled += read;
                start += read as u64;
            }
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Where to cut a tail that has the byte before it in front: after that, or later.
fn cut(bytes: &[u8]) -> usize {
    let near = NEAR.min(bytes.len() / 2);
    let newline = bytes.iter().take(near.max(1)).position(|byte| *byte == b'\n');
    newline.map_or_else(
        || {
            // A character has at most three bytes after its first (RFC 3629).
            let inside = bytes.iter().skip(1).take(3).take_while(|byte| **byte & 0xc0 == 0x80);
            (1 + inside.count()).min(bytes.len())
        },
        |newline| newline + 1,
    )
}

impl Serialize for LogTail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tail(log: &[u8], limit: u64) -> LogTail {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(log).unwrap();
        LogTail::read(&file, limit).unwrap()
    }

    fn kept(log: &str, limit: u64) -> String {
        let tail = tail(log.as_bytes(), limit);
        assert_eq!(tail.bytes.len() as u64 + tail.omitted, log.len() as u64);
        String::from_utf8(tail.bytes).unwrap()
    }

    #[test]
    fn a_short_log_is_whole() {
        assert_eq!(tail(b"", 10), LogTail::default());
        assert_eq!(kept("0123456789", 10), "0123456789");
        assert_eq!(tail(b"a\nb\n", 10).text(), "a\nb\n");
    }

    #[test]
    fn a_long_log_is_cut_at_a_line_if_one_starts_near() {
        assert_eq!(kept("one\ntwo\nthree\n", 10), "two\nthree\n");
        assert_eq!(kept("one\ntwo\nthree\n", 9), "three\n");
        assert_eq!(kept("one\ntwo\nthree\n", 6), "three\n");
        assert_eq!(kept("0123456789ab\n", 6), "789ab\n");
        assert_eq!(kept("0123456789", 1), "9");
        assert_eq!(kept("0123456789", 0), "");
        let far = format!("{}\nrest", "x".repeat(9000));
        assert_eq!(kept(&far, 8000).len(), 8000);
    }

    #[test]
    fn never_inside_a_character() {
        let log = "€".repeat(100);
        for limit in 3..300 {
            assert_eq!(kept(&log, limit).len() as u64, limit / 3 * 3);
        }
        let stray = [0x80; 20];
        assert_eq!(tail(&stray, 10).bytes.len(), 7);
    }

    #[test]
    fn says_what_was_left_out() {
        let tail = tail(b"one\ntwo\n\xff\n", 6);
        assert_eq!(tail.text(), "[sortie: 4 earlier bytes left out]\ntwo\n\u{fffd}\n");
        assert_eq!(serde_json::to_value(&tail).unwrap(), serde_json::json!(tail.text()));
    }
}
