//! Words, split as a shell splits them, by nothing that could run or expand anything.
//!
//! The crates that split words take `$PWD`, `~` or `$(id)` as they stand. Written in settings,
//! they are meant for a shell, so that would be something else than what is meant. Here variables and the
//! home directory are looked up, and what only a shell could do is an error.

use std::{iter::Peekable, str::CharIndices};

/// A text that a shell would not simply split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// A quote that is not closed.
    #[error("the quote {quote} at offset {offset} is not closed")]
    Unclosed {
        /// `'` or `"`.
        quote: char,
        /// Where it opens, in bytes from the start.
        offset: usize,
    },
    /// What a shell would expand or act on.
    #[error(
        "{char:?} at offset {offset} means something to a shell, and none reads this: put it in \
         single quotes to be taken as it is, or write what it stands for"
    )]
    Special {
        /// The character.
        char: char,
        /// Where it is, in bytes from the start.
        offset: usize,
    },
    /// A variable that is not there.
    #[error("${name} is not set, or not text: write what it stands for")]
    Unset {
        /// Its name.
        name: String,
    },
    /// A backslash with nothing after it.
    #[error("the backslash at the end has nothing to quote")]
    Backslash,
}

/// Looks a variable up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Splits a text into words: blanks and line breaks separate them; `'…'`, `"…"` and the backslash
/// quote as in bash. `$NAME` and `${NAME}` are looked up, and so is `~` in front of a word's slash; their
/// values are not split in turn. A pattern such as `*` is taken as it is: it has no files to match.
pub(super) fn split(text: &str, lookup: Lookup<'_>) -> Result<Vec<String>, WordsError> {
    let mut splitter = Splitter { chars: text.char_indices().peekable(), word: None, lookup };
    let mut words = Vec::new();
    while let Some((offset, char)) = splitter.chars.next() {
        if matches!(char, ' ' | '\t' | '\n') {
            words.extend(splitter.word.take());
        } else {
            splitter.unquoted(offset, char)?;
        }
    }
    words.extend(splitter.word);
    Ok(words)
}

struct Splitter<'a> {
    chars: Peekable<CharIndices<'a>>,
    /// The word so far: `''` is one too.
    word: Option<String>,
    lookup: Lookup<'a>,
}

impl Splitter<'_> {
    fn unquoted(&mut self, offset: usize, char: char) -> Result<(), WordsError> {
        match char {
            '\'' => self.single(offset),
            '"' => self.double(offset),
            '\\' => match self.chars.next() {
                None => Err(WordsError::Backslash),
                // It joins the lines.
                Some((_, '\n')) => Ok(()),
                Some((_, next)) => self.push(next),
            },
            '$' => self.variable(offset),
            '~' if self.word.is_none() && self.next_is('/') => self.look_up("HOME"),
            _ if self.is_special(char) => Err(WordsError::Special { char, offset }),
            _ => self.push(char),
        }
    }

    /// Where bash expands a tilde depends on what stands before it.
    fn is_special(&self, char: char) -> bool {
        let before = self.word.as_deref().map(|word| word.chars().next_back());
        match char {
            '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '{' | '\0' => true,
            '~' => matches!(before, None | Some(None | Some('=' | ':'))),
            '#' => before.is_none(),
            _ => false,
        }
    }

    fn single(&mut self, opened: usize) -> Result<(), WordsError> {
        let word = self.word.get_or_insert_default();
        for (_, char) in self.chars.by_ref() {
            match char {
                '\'' => return Ok(()),
                _ => word.push(char),
            }
        }
        Err(WordsError::Unclosed { quote: '\'', offset: opened })
    }

    fn double(&mut self, opened: usize) -> Result<(), WordsError> {
        self.word.get_or_insert_default();
        while let Some((offset, char)) = self.chars.next() {
            match char {
                '"' => return Ok(()),
                '$' => self.variable(offset)?,
                '`' => return Err(WordsError::Special { char, offset }),
                '\\' => match self.chars.peek().map(|(_, next)| *next) {
                    Some('\n') => _ = self.chars.next(),
                    Some(next @ ('$' | '`' | '"' | '\\')) => {
                        self.chars.next();
                        self.push(next)?;
                    }
                    _ => self.push('\\')?,
                },
                _ => self.push(char)?,
            }
        }
        Err(WordsError::Unclosed { quote: '"', offset: opened })
    }

    /// After a `$`: a name, in braces or not. All else that may follow is for a shell.
    fn variable(&mut self, offset: usize) -> Result<(), WordsError> {
        let special = Err(WordsError::Special { char: '$', offset });
        let braces = self.next_is('{') && self.chars.next().is_some();
        let mut name = String::new();
        let fits = |char: &char, name: &str| {
            *char == '_' || char.is_ascii_alphabetic() || !name.is_empty() && char.is_ascii_digit()
        };
        while let Some(char) = self.chars.peek().map(|(_, char)| *char).filter(|c| fits(c, &name)) {
            name.push(char);
            self.chars.next();
        }
        if name.is_empty() || braces && self.chars.next().is_none_or(|(_, char)| char != '}') {
            return special;
        }
        self.look_up(&name)
    }

    fn look_up(&mut self, name: &str) -> Result<(), WordsError> {
        let value =
            (self.lookup)(name).ok_or_else(|| WordsError::Unset { name: name.to_owned() })?;
        if !value.is_empty() {
            self.word.get_or_insert_default().push_str(&value);
        }
        Ok(())
    }

    fn next_is(&mut self, char: char) -> bool {
        self.chars.peek().is_some_and(|(_, next)| *next == char)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last thing done in what can fail")]
    fn push(&mut self, char: char) -> Result<(), WordsError> {
        self.word.get_or_insert_default().push(char);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Vec<String>, WordsError> {
        super::split(text, &|name| match name {
            "PWD" => Some("/my work".to_owned()),
            "HOME" => Some("/home/me".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_looked_up() {
        let expect = |text: &str, words: &[&str]| assert_eq!(split(text).unwrap(), words, "{text}");
        expect("-v $PWD:/workspace ${PWD}x", &["-v", "/my work:/workspace", "/my workx"]);
        expect(r#""$HOME/x" '$HOME' \$HOME ~/y"#, &["/home/me/x", "$HOME", "$HOME", "/home/me/y"]);
        assert_eq!(split("$NONE").unwrap_err(), WordsError::Unset { name: "NONE".to_owned() });
        for text in ["$", "$(id)", "${PWD:-x}", "$1", "$$", "${", "${}", "\"$\"", "$'x'", "~me/x"] {
            let error = split(text).unwrap_err();
            assert!(matches!(error, WordsError::Special { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn quotes_and_blanks() {
        let expect = |text: &str, words: &[&str]| assert_eq!(split(text).unwrap(), words, "{text}");
        expect("", &[]);
        expect(" \n\t", &[]);
        expect("--a 'b c'\n  -v \"x y\":/z", &["--a", "b c", "-v", "x y:/z"]);
        expect(r#"'' "" a''b"#, &["", "", "ab"]);
        expect(r#"a\ b "\$\`\"\\\x" '\'"#, &["a b", r#"$`"\\x"#, r"\"]);
        expect("a\\\nb \"c\\\nd\"", &["ab", "cd"]);
        expect("a~b [1] * ? a#b é!", &["a~b", "[1]", "*", "?", "a#b", "é!"]);
    }

    #[test]
    fn what_a_shell_would_act_on_is_refused() {
        for text in ["a`id`", "a;b", "a>b", "(a)", "{a,b}", "#c", "~", "v=~", "\0"] {
            let error = split(text).unwrap_err();
            assert!(matches!(error, WordsError::Special { .. }), "{text}: {error}");
        }
        assert_eq!(split("a 'b").unwrap_err(), WordsError::Unclosed { quote: '\'', offset: 2 });
        assert_eq!(split("\"b").unwrap_err(), WordsError::Unclosed { quote: '"', offset: 0 });
        assert_eq!(split("b\\").unwrap_err(), WordsError::Backslash);
    }
}
