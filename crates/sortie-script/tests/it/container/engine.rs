//! What real engines make of the arguments.

use std::{env, ffi::OsString, fs, process::Command};

use proptest::{prelude::*, test_runner::TestRunner};
use tempfile::TempDir;

use super::case::Case;
use crate::bash::program;

/// The engines of `cargo xtask docker up`, as commands; none with `SORTIE_TEST_QUICK=1`.
fn engines() -> Vec<(&'static str, Vec<(&'static str, OsString)>)> {
    if env::var_os("SORTIE_TEST_QUICK").is_some_and(|quick| quick == "1") {
        return Vec::new();
    }
    let variable = |name: &str| {
        let name = format!("SORTIE_TEST_{name}");
        env::var_os(&name).unwrap_or_else(|| {
            panic!(
                "{name} is not set: run `cargo xtask test`, or SORTIE_TEST_QUICK=1 to do without"
            )
        })
    };
    let of = |name: &'static str| (name, variable(name));
    vec![
        ("docker", vec![of("DOCKER_HOST")]),
        ("podman", vec![of("CONTAINERS_CONF"), of("CONTAINERS_STORAGE_CONF")]),
    ]
}

/// Prints its arguments, the variable X, and what stands in the candidate and the evaluator; writes to
/// the results dir, and tries to elsewhere.
const PROBE: &str = r#"printf '%s\0' "$@" "$X" "$(cat "$1")" "$(cat "$2")" "$(id -u):$(id -g)" "$PWD"
    echo written > "$3/out" && echo pwned > "$PWD/pwned" || true"#;

fn hostile() -> impl Strategy<Value = String> {
    "[ '\"\\\\$`!*?~#&|;<>(){}=,:\\-\n\r\ta0é\u{1f600}]{1,20}"
        .prop_filter("engines drop it", |text| !text.contains("\r\n"))
}

#[test]
fn values_arrive_as_they_are_and_only_the_results_dir_is_writable() {
    for (engine, variables) in engines() {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(4));
        let names = (hostile(), hostile(), hostile(), hostile());
        let outcome = runner.run(&names, |(directory, name, argument, value)| {
            let home = TempDir::new().unwrap();
            let directory = home.path().join(format!("d{directory}"));
            let results_dir = directory.join(format!("r{name}"));
            fs::create_dir_all(&results_dir).unwrap();
            fs::set_permissions(&results_dir, std::os::unix::fs::PermissionsExt::from_mode(0o777))
                .unwrap();
            fs::write(directory.join(format!("e{name}")), "evaluator").unwrap();
            fs::write(directory.join(format!("c{name}")), "candidate").unwrap();
            let inside = |letter: char| format!("/workspace/{letter}{name}");
            let words = ["/bin/sh", "-c", PROBE, "sh", &inside('e'), &inside('c'), &inside('r')];
            let case = Case {
                image: env::var("SORTIE_TEST_BUSYBOX_IMAGE").unwrap(),
                directory: directory.clone(),
                evaluator: format!("e{name}").into(),
                candidate: format!("c{name}").into(),
                results_dir: format!("r{name}").into(),
                user: Some("1234:2345".into()),
                network: Some("none".into()),
                environment: vec![("X".into(), value.clone().into())],
                command: words.iter().copied().chain([argument.as_str()]).map(Into::into).collect(),
                ..Case::default()
            };
            let printed = run(engine, &variables, &case);
            let mut expected = vec![inside('e'), inside('c'), inside('r'), argument, value];
            expected.extend(["evaluator", "candidate", "1234:2345", "/workspace"].map(Into::into));
            assert_eq!(printed, expected, "{engine}");
            assert_eq!(fs::read_to_string(results_dir.join("out")).unwrap(), "written\n");
            assert!(!directory.join("pwned").exists());
            Ok(())
        });
        outcome.unwrap();
    }
}

/// The words that the container printed, each with a NUL byte after it.
fn run(engine: &str, variables: &[(&str, OsString)], case: &Case) -> Vec<String> {
    // For one container at a time: the name is that of the attempt.
    let mut words = case.render().unwrap();
    words.retain(|word| !word.starts_with("--name="));
    let command = || -> Command {
        let mut command = program(engine);
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        command
    };
    let output = command().args(["run", "--rm"]).args(&words).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{engine}: {stderr}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
}
