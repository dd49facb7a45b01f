//! Paths and values of any bytes arrive as they are.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::stage::{self, SHELL, Stage, ran};

/// What shells, YAML, terminals and readers of UTF-8 trip over.
const HOSTILE: &[u8] = b" it's \"a\" $(touch pwned) `touch pwned`;\n\\ \x1b[31m*\xff\xc3&| #~";

/// Writes down its arguments, each with a NUL byte after it.
const NOTES_ARGUMENTS: &str = r#"printf '%s\0' "$@" > "$4/arguments"; "#;

fn hostile(name: &str) -> OsString {
    OsString::from_vec([HOSTILE, name.as_bytes()].concat())
}

#[test]
fn every_path_and_value_arrives_byte_for_byte() {
    let value = "it's \"a\" $(touch pwned) `touch pwned`;\n\\ \u{1b}[31m*é\u{2028}&| #~";
    let quoted = serde_json::to_string(value).unwrap(); // which YAML reads alike
    let stage = Stage::empty();
    let config = stage.write(
        hostile("job.yaml"),
        format!("{SHELL}extra_cmd_args: {{key: {quoted}, empty: '', flag: true, rate: 1e-05}}\n"),
    );
    stage.write("evaluate.sh", format!("{NOTES_ARGUMENTS}{}", stage::CORRECT));
    stage.write(hostile("candidate"), "");
    let (candidate, results) = (hostile("candidate"), hostile("results"));
    let before = stage.names();

    let mut command = stage.sortie([OsStr::new("run"), "--config".as_ref(), config.as_os_str()]);
    let run = ran(command.args([&candidate, &results]));
    assert_eq!(run.status, Some(0), "{run:?}");
    let arguments = fs::read(stage.path(&results).join("arguments")).unwrap();
    let arguments: Vec<_> = arguments.strip_suffix(b"\0").unwrap().split(|b| *b == 0).collect();
    let expected = [
        b"--program_path",
        candidate.as_bytes(),
        b"--results_dir",
        results.as_bytes(),
        b"--key",
        value.as_bytes(),
        b"--empty",
        b"",
        b"--flag",
        b"True",
        b"--rate",
        b"1e-05",
    ];
    assert_eq!(arguments, expected);
    let mut after = stage.names();
    after.retain(|name| !before.contains(name));
    after.retain(|name| name != ".sortie");
    assert_eq!(after, [results]);
}

#[test]
fn the_evaluators_path_too() {
    let name = "e v'a\"l$(touch pwned)\n.sh";
    let stage = Stage::shell("", "");
    stage.write(name, format!("{NOTES_ARGUMENTS}{}", stage::CORRECT));
    let quoted = serde_json::to_string(name).unwrap();
    stage.write("job.yaml", SHELL.replace("evaluate.sh", &quoted));
    assert_eq!(stage.run().status, Some(0));
    assert!(!stage.path("pwned").exists());
}

#[test]
fn errors_are_one_line_whatever_the_path() {
    let stage = Stage::empty();
    let mut command = stage.sortie(["run", "--config"]);
    let ran = ran(command.args([hostile("none"), "c".into(), "r".into()]));
    ran.is_error(2, r"\n\ \u{1b}[31m*");
    assert_eq!(ran.stderr.lines().count(), 2, "{ran:?}");
}
