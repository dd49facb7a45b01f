//! The command lines as people review them: one case a file, one snapshot a case.

use std::{ffi::OsString, fs, path::PathBuf};

use serde::Deserialize;
use sortie_script::{Step, expect_interpreter, hooked, quote, sourced, try_executable};

use crate::check::{check_bash, check_sh};

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
            Activation::Sourced(script) => sourced("/work".as_ref(), script, &command),
            Activation::Hooked(steps) => {
                let steps: Vec<_> = steps.iter().map(CaseStep::as_step).collect();
                hooked("/work".as_ref(), &steps, &command)
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

#[test]
fn texts_pass_bash_and_shellcheck() {
    for argv in [sourced("/".as_ref(), "a".as_ref(), &[]), hooked("/".as_ref(), &[], &[])] {
        check_bash(&text(&argv));
    }
    check_bash(expect_interpreter("a".as_ref())[4].to_str().unwrap());
    check_sh(try_executable("a".as_ref(), "b".as_ref(), "".as_ref())[2].to_str().unwrap());
}
