//! What the beginning of a file says of how the kernel, or Python, would run it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::local::executable;

/// The first bytes of a file.
pub(super) struct Head(pub(super) Vec<u8>);

const ELF: &[u8] = b"\x7fELF";

/// What a `#!` line names that is certainly no Python, without the digits of a version.
const OTHER_LANGUAGES: [&str; 33] = [
    "sh",
    "bash",
    "dash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "fish",
    "csh",
    "tcsh",
    "busybox",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "deno",
    "bun",
    "lua",
    "luajit",
    "php",
    "Rscript",
    "julia",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "tclsh",
    "guile",
    "racket",
    "octave",
    "runhaskell",
    "make",
    "elixir",
];

/// How a line begins that makes a file of both a shell and Python, as pip writes where the path of its Python is long.
const POLYGLOTS: [&[u8]; 6] = [b"'''", b"\"\"\"", b"\"exec\"", b"'exec'", b"\":\"", b"':'"];

/// How a line of Python begins, and hardly one of another language.
const LINES_OF_PYTHON: [&[u8]; 6] =
    [b"import ", b"from ", b"def ", b"class ", b"if __name__", b"@"];

/// ELF's numbers of the machines whose programs this one runs (elf.h).
const MACHINES: &[usize] = if cfg!(target_arch = "x86_64") {
    &[62, 3]
} else if cfg!(target_arch = "aarch64") {
    &[183, 40]
} else {
    &[]
};

impl Head {
    /// How much is looked at.
    pub(super) const BYTES: u64 = 4096;

    /// What the file is if Python cannot run it for certain: a compiled program, a script in another language.
    pub(super) fn not_python(&self, file: &Path) -> Option<String> {
        if self.0.starts_with(ELF) {
            return Some("a compiled program (ELF)".to_owned());
        }
        let line = self.interpreter_line()?;
        let program = Self::program(line)?;
        let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name = name.trim_ascii_end();
        let version = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let end = name.iter().rposition(|byte| !version(byte)).map_or(0, |last| last + 1);
        if !OTHER_LANGUAGES.iter().any(|other| other.as_bytes() == &name[..end]) {
            return None;
        }
        let further = || self.0.split(|byte| *byte == b'\n').skip(1);
        let begins =
            |beginnings: &[&[u8]], line: &[u8]| beginnings.iter().any(|b| line.starts_with(b));
        let named_python = file.extension().is_some_and(|ending| ending == "py" || ending == "pyz");
        let polyglot = further().take(5).any(|line| begins(&POLYGLOTS, line))
            || (named_python && further().any(|line| begins(&LINES_OF_PYTHON, line)));
        (!polyglot).then(|| format!("a script for {}", shown(program)))
    }

    /// What runs the file, if the kernel would run it as itself on some machine.
    pub(super) fn runs(&self) -> Result<String, String> {
        if self.0.starts_with(ELF) {
            return match self.number(16, 2) {
                Some(2 | 3) | None => Ok("a compiled program".to_owned()),
                Some(_) => Err("is a part of a compiled program (ELF), not a whole one".to_owned()),
            };
        }
        if let Some(line) = self.interpreter_line() {
            let interpreter = Self::words(line).next().unwrap_or_default();
            if interpreter.is_empty() {
                return Err("has a `#!` line that names no interpreter".to_owned());
            }
            if line.ends_with(b"\r") {
                return Err("has lines that end in CR LF: its interpreter would not be found; `dos2unix` or \
                            `sed -i 's/\\r$//'` mends it"
                    .to_owned());
            }
            return Ok(format!("a script for {}", shown(interpreter)));
        }
        if has_foreign_formats() {
            return Ok(String::new());
        }
        Err("begins neither with a `#!` line nor as a compiled program (ELF), so it cannot run as itself".to_owned())
    }

    /// The same of this machine, for a process that starts in `cwd`.
    pub(super) fn runs_here(&self, cwd: &Path) -> Result<String, String> {
        let found = self.runs()?;
        if let Some(line) = self.interpreter_line() {
            let interpreter =
                Path::new(OsStr::from_bytes(Self::words(line).next().unwrap_or_default()));
            // A name without a slash is a file of the working directory to the kernel.
            return match executable(&cwd.join(interpreter), None, cwd) {
                Ok(_) => Ok(found),
                Err(problem) => Err(format!(
                    "has a `#!` line that names {}, which {problem}",
                    interpreter.display()
                )),
            };
        }
        let machine = self.number(18, 2).filter(|_| self.0.starts_with(ELF));
        if machine.is_some_and(|machine| !MACHINES.is_empty() && !MACHINES.contains(&machine)) {
            if has_foreign_formats() {
                return Ok(found);
            }
            return Err("is compiled for another kind of machine than this".to_owned());
        }
        match self.loader().map(|loader| (loader, executable(loader, None, cwd))) {
            Some((loader, Err(problem))) => {
                Err(format!("is compiled to be loaded by {}, which {problem}", loader.display()))
            }
            _ => Ok(found),
        }
    }

    /// Looks for the program that `#!/usr/bin/env PROGRAM` names.
    pub(super) fn finds(
        &self,
        find: impl Fn(&Path) -> Result<(), &'static str>,
    ) -> Result<(), String> {
        let Some(program) = self.asks_env_for() else { return Ok(()) };
        find(Path::new(&program)).map_err(|problem| {
            let program = program.to_string_lossy();
            format!("has a `#!` line that asks `env` for {program}, which {problem}")
        })
    }

    /// The program that `env` is to find.
    pub(super) fn asks_env_for(&self) -> Option<OsString> {
        let line = self.interpreter_line()?;
        let program = Self::program(line)?;
        let is_direct = Self::words(line).next() == Some(program);
        (!is_direct).then(|| OsStr::from_bytes(program).to_owned())
    }

    /// What follows `#!`.
    fn interpreter_line(&self) -> Option<&[u8]> {
        self.0.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()
    }

    fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
        line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
    }

    /// The program that runs the script: the interpreter, or what `env` is to find.
    fn program(line: &[u8]) -> Option<&[u8]> {
        let mut words = Self::words(line);
        let first = words.next()?;
        if first != b"env" && !first.ends_with(b"/env") {
            return Some(first);
        }
        words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))
    }

    /// What loads a compiled program that is linked dynamically: elf(5), `PT_INTERP`. It stands at the beginning of most.
    pub(super) fn loader(&self) -> Option<&Path> {
        const INTERPRETER: usize = 3;
        if !self.0.starts_with(ELF) {
            return None;
        }
        let is_wide = *self.0.get(4)? == 2;
        let [table, size, count] = if is_wide { [32, 54, 56] } else { [28, 42, 44] };
        let [offset, length] = if is_wide { [8, 32] } else { [4, 16] };
        let word = if is_wide { 8 } else { 4 };
        let (table, size, count) =
            (self.number(table, word)?, self.number(size, 2)?, self.number(count, 2)?);
        let mut entries = (0..count).filter_map(|n| table.checked_add(n * size));
        let entry = entries.find(|entry| self.number(*entry, 4) == Some(INTERPRETER))?;
        let at = self.number(entry.checked_add(offset)?, word)?;
        let length = self.number(entry.checked_add(length)?, word)?;
        let path = self.0.get(at..at.checked_add(length)?)?.strip_suffix(b"\0")?;
        Some(Path::new(OsStr::from_bytes(path)))
    }

    /// A number of so many bytes of an ELF file, in the order that it says it has.
    fn number(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(len)?)?;
        let is_big = *self.0.get(5)? == 2;
        let joined = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number =
            if is_big { bytes.iter().fold(0, joined) } else { bytes.iter().rev().fold(0, joined) };
        number.try_into().ok()
    }
}

/// Whether the kernel may know of other formats, which `binfmt_misc` registers.
fn has_foreign_formats() -> bool {
    let known = |name: &OsStr| name == "register" || name == "status";
    fs::read_dir("/proc/sys/fs/binfmt_misc")
        .is_ok_and(|entries| entries.flatten().any(|entry| !known(&entry.file_name())))
}

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}
