//! Values, byte for byte, and what gets in.

use std::fs;

use proptest::{prelude::*, test_runner::TestRunner};

use super::Here;
use crate::container::case::Case;

fn hostile() -> impl Strategy<Value = String> {
    "[ '\"\\\\$`!*?~#&|;<>(){}=,:\\-\n\r\ta0é\u{1f600}]{1,20}"
}

#[test]
fn values_arrive_as_they_are() {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(5));
    let here = Here::new();
    let outcome = runner.run(&(hostile(), hostile()), |(argument, value)| {
        let _ = fs::remove_file(here.path("results/job_log.out"));
        let mut case = here.case(r#"printf '%s\0' "$@" "$X" "$HOME""#);
        case.command.extend(["sh".into(), argument.clone().into()]);
        case.environment = vec![("X".into(), value.clone().into())];
        prop_assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
        prop_assert_eq!(here.log("out"), [&argument, &value, "/tmp\0"].join("\0"));
        Ok(())
    });
    outcome.unwrap();
}

/// One of a name that no shell has.
#[test]
fn odd_names_are_names() {
    let here = Here::new();
    let mut case = Case { command: vec!["env".into()], ..here.case("") };
    let set = [("A.B", "$(id)\\"), ("-x", "1"), ("C D", "2")];
    case.environment = set.map(|(name, value)| (name.into(), value.into())).to_vec();
    assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
    for (name, value) in set {
        assert!(here.log("out").contains(&format!("{name}={value}\n")), "{}", here.log("out"));
    }
}

#[test]
fn nothing_of_the_launchers_environment_gets_in() {
    let here = Here::new();
    let mut case = here.case("env");
    let inherited = [("API_KEY", "secret"), ("HTTPS_PROXY", "http://127.0.0.1:9")];
    case.inherited.extend(inherited.map(|(name, value)| (name.into(), value.into())));
    let set = [("ASKED_FOR", "yes"), ("HOME", "/workspace"), ("LD_LIBRARY_PATH", "/opt/lib")];
    case.environment = set.map(|(name, value)| (name.into(), value.into())).to_vec();
    here.run(&case);
    let environment = here.log("out");
    for wanted in ["ASKED_FOR=yes\n", "HOME=/workspace\n", "LD_LIBRARY_PATH=/opt/lib\n"] {
        assert!(environment.contains(wanted), "{environment}");
    }
    for name in ["API_KEY", "SLURM", "HTTPS_PROXY", "SORTIE"] {
        assert!(!environment.contains(name), "{environment}");
    }
}

/// Where an image has the programs, and nothing is mounted at the working directory's place.
#[test]
fn a_working_directory_need_not_be_there() {
    let here = Here::new();
    let case = Case { mount_programs: false, ..here.case("echo ran") };
    assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#, "{}", here.log("err"));
    assert_eq!(here.log("out"), "ran\n");
}

/// A program is looked for where it will be.
#[test]
fn a_search_path_that_is_set_counts() {
    let here = Here::new();
    let mut case = Case { command: vec!["mine".into()], ..here.case("") };
    case.environment = vec![("PATH".into(), "/workspace/bin".into())];
    let end = here.run(&case);
    assert!(end.contains("it is not found; PATH is /workspace/bin"), "{end}");
}

#[test]
#[ignore = "needs Apptainer: cargo xtask test --apptainer"]
fn real_apptainer_shows_no_files_and_networks_of_others() {
    let here = Here::new();
    assert!(here.real.is_some(), "SORTIE_TEST_APPTAINER is not set");
    let text = "pwd; echo $$; echo written >\"$1/out\"; touch /workspace/x; ls /workspace; grep -c : /proc/net/dev";
    let mut case = here.case(text);
    case.command.extend(["sh".into(), case.results_dir.clone().into()]);
    assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#, "{}", here.log("err"));
    assert!(here.log("err").contains("Read-only file system"), "{}", here.log("err"));
    assert_eq!(fs::read_to_string(here.path("results/out")).unwrap(), "written\n");
    let out = here.log("out");
    assert!(out.starts_with("/workspace\n") && out.contains("results\n"), "{out}");
    assert!(out.ends_with("\n1\n"), "{out}");
}
