//! The command lines as people review them: one case a file, one snapshot a case.

use std::{ffi::OsString, fs, io::Write, path::PathBuf, process::Stdio};

use serde::Deserialize;
use sortie_script::{Step, hooked, quote, sourced};

use crate::bash::program;

/// A file of `tests/cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    activation: Activation,
    command: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    Sourced(PathBuf),
    Hooked(Vec<CaseStep>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CaseStep {
    Source(PathBuf),
    Unset(String),
    Set(String, String),
}

impl Case {
    fn argv(&self) -> Vec<OsString> {
        let command: Vec<_> = self.command.iter().map(OsString::from).collect();
        match &self.activation {
            Activation::Sourced(script) => sourced(script, &command),
            Activation::Hooked(steps) => {
                let steps: Vec<_> = steps.iter().map(CaseStep::as_step).collect();
                hooked(&steps, &command)
            }
        }
    }
}

impl CaseStep {
    fn as_step(&self) -> Step<'_> {
        match self {
            Self::Source(script) => Step::Source(script),
            Self::Unset(name) => Step::Unset(name.as_ref()),
            Self::Set(name, value) => Step::Set(name.as_ref(), value.as_ref()),
        }
    }
}

/// The text of a command line: what follows `-c` or `-lc`.
fn text(argv: &[OsString]) -> String {
    let option = argv.iter().position(|word| word == "-c" || word == "-lc").unwrap();
    argv[option + 1].to_str().unwrap().to_owned()
}

#[test]
fn command_lines() {
    insta::glob!("../cases", "*.yaml", |path| {
        let case: Case = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let argv = case.argv();
        let text = text(&argv);
        // The text as it is, every other argument as one word a line.
        let lines = argv
            .iter()
            .map(|word| if *word == *text { text.clone() } else { quote(word).unwrap() + "\n" });
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("argv", lines.collect::<String>());
        });
    });
}

/// Feeds the text to a checker, which must have nothing to say.
fn check(checker: &str, options: &[&str], text: &str) {
    let mut command = program(checker);
    command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(_) if std::env::var_os("SORTIE_QUICK").is_some_and(|quick| quick == "1") => return,
        Err(error) => panic!("{checker}: {error}; install it, or set SORTIE_QUICK=1 to do without"),
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.is_empty(), "{checker}: {said}\n{text}");
}

#[test]
fn texts_pass_bash_and_shellcheck() {
    for argv in [sourced("a".as_ref(), &[]), hooked(&[], &[])] {
        check("bash", &["-n"], &text(&argv));
        // SC1090: that the sourced file is known only at run time is the point.
        check("shellcheck", &["--shell=bash", "--exclude=SC1090", "-"], &text(&argv));
    }
}
