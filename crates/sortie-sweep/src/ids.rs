//! What candidates are called.

use std::collections::HashSet;
use std::path::Path;

use crate::names;

/// The longest name, in bytes: there is room for what is added to make it the only one.
const LONGEST: usize = 100;
/// What a program is called where its directory tells more.
const PLAIN: &str = "main";

/// The names that are taken.
#[derive(Debug)]
pub(crate) struct Ids(HashSet<String>);

impl Default for Ids {
    fn default() -> Self {
        Self(names::RESERVED.map(str::to_owned).into())
    }
}

impl Ids {
    /// Takes an id that the user asked for. The error says why it cannot be used.
    pub(crate) fn take(&mut self, id: &str) -> Result<(), &'static str> {
        if id.is_empty() {
            return Err("is empty");
        }
        if id.starts_with('.') {
            return Err("starts with a full stop");
        }
        if id.len() > 200 {
            return Err("has more than 200 bytes");
        }
        if id.chars().any(|c| c == '/' || c.is_control()) {
            return Err("holds a slash or a control character");
        }
        if names::RESERVED.contains(&id) {
            return Err("is the name of one of the sweep's own files");
        }
        if self.0.insert(id.to_owned()) { Ok(()) } else { Err("is there twice") }
    }

    /// Takes a name for a program, after its file, or after its directory if the file is a `main`; with a number if
    /// others were quicker.
    pub(crate) fn name(&mut self, candidate: &Path) -> String {
        let stem = candidate.file_stem().unwrap_or_default();
        let directory = candidate.parent().and_then(Path::file_name);
        let name = if stem == PLAIN { directory.unwrap_or(stem) } else { stem };
        let name = plain(&name.to_string_lossy());
        let numbered = (2_u64..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        // There is always a next one.
        names.find(|name| self.0.insert(name.clone())).unwrap_or(name)
    }
}

/// The name without what is awkward in the name of a directory.
fn plain(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "._-+=@".contains(c) { c } else { '_' };
    let mut plain: String = name.chars().map(keep).collect();
    let end = (0..=LONGEST.min(plain.len())).rev().find(|end| plain.is_char_boundary(*end));
    plain.truncate(end.unwrap_or(0));
    match plain.chars().next() {
        None => "_".to_owned(),
        Some('.' | '-') => format!("_{plain}"),
        Some(_) => plain,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn names_are_plain_and_each_is_there_once() {
        let mut ids = Ids::default();
        let cases: [(&[u8], &str); 11] = [
            (b"a.py", "a"),
            (b"x/a.py", "a-2"),
            (b"x/a-2.py", "a-2-2"),
            (b"gen_0/main.py", "gen_0"),
            (b"main.py", "main"),
            (b"od\xffd\n e.py", "od\u{fffd}d__e".trim()),
            (b".hidden.py", "_.hidden"),
            (b"--out.py", "_--out"),
            (b"lock.py", "lock-2"),
            ("naïve.tar.gz".as_bytes(), "naïve.tar"),
            (b"results.jsonl.py", "results.jsonl-2"),
        ];
        for (path, id) in cases {
            let expected = id.replace('\u{fffd}', "_");
            assert_eq!(ids.name(Path::new(OsStr::from_bytes(path))), expected);
        }
        let long = ids.name(Path::new(&"é".repeat(200)));
        assert_eq!(long, "é".repeat(50));
    }

    #[test]
    fn names_that_are_asked_for_are_kept_or_refused() {
        let mut ids = Ids::default();
        assert_eq!(ids.take("a b ü"), Ok(()));
        assert_eq!(ids.take("a b ü"), Err("is there twice"));
        for id in ["", ".", "..", ".x", "a/b", "a\nb", "lock", &"x".repeat(201)] {
            assert!(ids.take(id).is_err(), "{id}");
        }
    }
}
