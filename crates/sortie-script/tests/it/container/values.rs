//! Values, byte for byte, in a container of a real engine.

use std::{fs, os::unix::fs::PermissionsExt as _};

use proptest::{prelude::*, test_runner::TestRunner};

use super::engine::{Here, engines, owner, rootless};

/// Prints its arguments, the variable X, and what stands in the candidate and the evaluator; writes to
/// the results dir, and tries to elsewhere.
const PROBE: &str = r#"printf '%s\0' "$@" "$X" "$(cat "$1")" "$(cat "$2")" "$(id -u):$(id -g)" "$PWD"
    echo written > "$3/out" && echo pwned > "$PWD/pwned" || true"#;

fn hostile() -> impl Strategy<Value = String> {
    "[ '\"\\\\$`!*?~#&|;<>(){}=,:\\-\n\r\ta0é\u{1f600}]{1,20}"
        .prop_filter("engines drop it", |text| !text.contains("\r\n"))
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn values_arrive_as_they_are_and_only_the_results_dir_is_writable() {
    for engine in engines() {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(3));
        let names = (hostile(), hostile(), hostile(), hostile());
        let outcome = runner.run(&names, |(directory, name, argument, value)| {
            let here = Here::new(&engine);
            let directory = here.path(&format!("d{directory}"));
            let results_dir = directory.join(format!("r{name}"));
            fs::create_dir_all(&results_dir).unwrap();
            fs::set_permissions(&results_dir, fs::Permissions::from_mode(0o777)).unwrap();
            fs::write(directory.join(format!("e{name}")), "evaluator").unwrap();
            fs::write(directory.join(format!("c{name}")), "candidate").unwrap();
            let inside = |letter: char| format!("/workspace/{letter}{name}");
            let mut case = here.case(PROBE);
            let words = ["sh".into(), inside('e'), inside('c'), inside('r'), argument.clone()];
            case.command.extend(words.map(Into::into));
            case.directory.clone_from(&directory);
            case.evaluator = format!("e{name}").into();
            case.candidate = format!("c{name}").into();
            case.results_dir = format!("r{name}").into();
            case.user = Some("1234:2345".into());
            case.environment = vec![("X".into(), value.clone().into())];
            prop_assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
            let mut expected = vec![inside('e'), inside('c'), inside('r'), argument, value];
            expected.extend(["evaluator", "candidate", "1234:2345", "/workspace"].map(Into::into));
            prop_assert_eq!(here.log(&case, "out"), expected.join("\0") + "\0");
            prop_assert_eq!(fs::read_to_string(results_dir.join("out")).unwrap(), "written\n");
            // Without root it is one of those that /etc/subuid gives the user, from 100000 on, but for the user's own 1000.
            let expected = if rootless() { (101_233, 102_344) } else { (1234, 2345) };
            prop_assert_eq!(owner(&results_dir.join("out")), expected);
            prop_assert!(!directory.join("pwned").exists());
            Ok(())
        });
        outcome.unwrap();
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn nothing_of_the_launchers_environment_gets_in() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("env");
        case.inherited.push(("API_KEY".into(), "secret".into()));
        // For the engine, which pulls images by it.
        let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy"];
        case.inherited.extend(proxies.map(|name| (name.into(), "http://127.0.0.1:9".into())));
        case.environment = vec![("ASKED_FOR".into(), "yes".into())];
        here.run(&case);
        let environment = here.log(&case, "out");
        assert!(environment.contains("ASKED_FOR=yes\n"), "{environment}");
        for name in ["API_KEY", "SLURM_JOB_ID", "DOCKER_HOST", "SORTIE_ATTEMPT"] {
            assert!(!environment.contains(name), "{environment}");
        }
        for name in proxies {
            assert!(!environment.contains(name), "{}: {environment}", engine.name);
        }
    }
}
