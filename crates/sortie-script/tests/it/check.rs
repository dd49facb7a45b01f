//! What checks a text without running it.

use std::{io::Write, process::Stdio};

use crate::bash::program;

/// Feeds the text to a checker, which must have nothing to say. It may be missing, but not in `cargo xtask test`.
fn check(checker: &str, options: &[&str], text: &str) {
    let mut command = program(checker);
    command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if std::env::var_os("SORTIE_TEST_ALL").is_none() => {
            return eprintln!("not checked, for want of {checker}: {error}");
        }
        Err(error) => panic!("{checker}: {error}"),
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.is_empty(), "{checker}: {said}\n{text}");
}

/// What shellcheck may not complain of: that a sourced file is known only at run time (SC1090), that
/// a value in single quotes is not expanded (SC2016), that there are commas in arrays (SC2054), that only a
/// trap calls a function (SC2317).
const INTENDED: &str = "--exclude=SC1090,SC2016,SC2054,SC2317";

/// The text must be one for any shell. It may split a line into its words (SC2086).
pub(crate) fn check_sh(text: &str) {
    check("shellcheck", &["--shell=sh", "--exclude=SC2086", "-"], text);
}

/// The text must pass `bash -n` and shellcheck.
pub(crate) fn check_bash(text: &str) {
    check("bash", &["-n"], text);
    check("shellcheck", &["--shell=bash", INTENDED, "-"], text);
}
