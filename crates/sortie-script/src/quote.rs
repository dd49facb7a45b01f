//! Any argument as one word of bash.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// The one byte that no argument of a program can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a NUL byte at offset {offset}, which no argument of a program can carry")]
pub struct NulByte {
    /// Where, in bytes from the start.
    pub offset: usize,
}

/// The word that bash reads as exactly these bytes, wherever a command or argument may stand.
///
/// It is valid UTF-8 and has no line break or other control character, so it fits on one line of
/// a script. Words that need no quotes get none.
///
/// ```
/// use sortie_script::quote;
///
/// assert_eq!(quote("--mem=8G".as_ref())?, "--mem=8G");
/// assert_eq!(quote("it's $HOME".as_ref())?, r"'it'\''s $HOME'");
/// assert_eq!(quote("two\nlines".as_ref())?, r"$'two\nlines'");
/// assert_eq!(quote("a\0b".as_ref()).unwrap_err().offset, 1);
/// # Ok::<(), sortie_script::NulByte>(())
/// ```
///
/// # Errors
///
/// A NUL byte, which ends every argument of a program and so cannot be in one.
pub fn quote(word: &OsStr) -> Result<String, NulByte> {
    let bytes = word.as_bytes();
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(NulByte { offset });
    }
    Ok(match word.to_str() {
        Some(text) if is_plain(text) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => escaped(bytes),
    })
}

/// Words that bash takes for its own syntax where a command may stand.
const RESERVED: [&str; 17] = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "time", "until", "while",
];

/// Whether bash reads it as it stands. `name=value` is an assignment where a command may stand,
/// `--name=value` is not.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+./,:@%=".contains(c);
    !text.is_empty()
        && text.chars().all(plain)
        && (!text.contains('=') || text.starts_with('-'))
        && !RESERVED.contains(&text)
}

/// `$'…'`: control characters and bytes that are not UTF-8 as escapes of bytes, which mean the
/// same in every locale.
fn escaped(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\'' || c == '\\' {
                word.extend(ascii(c.encode_utf8(&mut [0; 4]).as_bytes()));
            } else {
                word.push(c);
            }
        }
        word.extend(ascii(chunk.invalid()));
    }
    word.push('\'');
    word
}

/// Rust's escapes of bytes are among those of bash.
fn ascii(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.escape_ascii().map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(word: &[u8]) -> String {
        quote(OsStr::from_bytes(word)).unwrap()
    }

    #[test]
    fn plain_words_stay_plain() {
        for word in ["python3", "/opt/a-b_c.d", "--seed", "--mem=8G", "1e-05", "a:b,c@d%e+f", "-"] {
            assert_eq!(quoted(word.as_bytes()), word);
        }
    }

    #[test]
    fn what_bash_would_read_is_quoted() {
        for word in ["", " ", "~", "#x", "*", "{a,b}", "!", "a=b", "if", "time", "$x", "`x`", "é"]
        {
            assert_eq!(quoted(word.as_bytes()), format!("'{word}'"));
        }
    }

    #[test]
    fn one_line_of_text_whatever_the_bytes() {
        assert_eq!(
            quoted(b"\x1b[31m'\\\xff\xc2\x85\r\n\t\x7f"),
            r"$'\x1b[31m\'\\\xff\xc2\x85\r\n\t\x7f'"
        );
        assert_eq!(quoted("é\n".as_bytes()), r"$'é\n'");
    }
}
