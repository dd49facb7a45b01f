//! Lines that tell whether they are whole: eight hexadecimal digits of a CRC-32 (IEEE 802.3), a space, JSON.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The checksum's digits, and the space after them.
const PREFIX: usize = 9;

/// Adds a line that holds the value.
pub(crate) fn push(lines: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(value)?;
    lines.extend_from_slice(format!("{:08x} ", crc32fast::hash(&json)).as_bytes());
    lines.extend_from_slice(&json);
    lines.push(b'\n');
    Ok(())
}

/// What a line, without its newline, holds, if it is whole.
pub(crate) fn read<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let (prefix, json) = line.split_at_checked(PREFIX)?;
    let digits = str::from_utf8(prefix.strip_suffix(b" ")?).ok()?;
    let crc = u32::from_str_radix(digits, 16).ok()?;
    if crc32fast::hash(json) != crc {
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_whole_or_not_read() {
        let mut line = Vec::new();
        push(&mut line, &["a\n", "b"]).unwrap();
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(read::<Vec<String>>(&line).unwrap(), ["a\n", "b"]);
        for at in 0..line.len() {
            assert!(read::<Vec<String>>(&line[..at]).is_none(), "cut at {at}");
            let mut flipped = line.clone();
            flipped[at] ^= 1;
            assert!(read::<Vec<String>>(&flipped).is_none(), "flipped at {at}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_other_tools_compute() {
        let mut line = Vec::new();
        push(&mut line, &[1, 2]).unwrap();
        // As by `printf '[1,2]' | gzip -c | tail -c8 | od -An -N4 -tx4`.
        assert_eq!(String::from_utf8(line).unwrap(), "088b50bf [1,2]\n");
    }
}
