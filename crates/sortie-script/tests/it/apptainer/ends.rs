//! Every end that a container can come to, and whose it is.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Here, eventually, left_of, set_up_failed, signal};
use crate::container::case::Case;

#[test]
fn exit_codes_are_the_evaluators_own() {
    let here = Here::new();
    let case = here.case("echo out; echo err >&2");
    assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
    assert_eq!((here.log("out"), here.log("err")), ("out\n".into(), "err\n".into()));
    for code in [1, 3, 125, 126, 127, 255] {
        let expected = format!(r#"{{"kind":"exited","code":{code}}}"#);
        assert_eq!(here.end_of(&format!("exit {code}")), expected);
    }
    let forged = "echo 'FATAL:   container creation failed: no' >&2; exit 255";
    assert_eq!(here.end_of(forged), r#"{"kind":"exited","code":255}"#);
    assert_eq!(here.end_of("kill -SEGV $$"), r#"{"kind":"signaled","signal":11}"#);
    assert_eq!(here.end_of("kill -KILL $$"), r#"{"kind":"signaled","signal":9}"#);
}

#[test]
fn what_the_evaluator_leaves_ends_with_it() {
    let here = Here::new();
    // Named by the directory, so that what is left would be seen.
    let sleep = format!("sh -c 'sleep 1000; : {}'", here.path("").display());
    let daemons = format!("{sleep} & ({sleep} &) & exit 3");
    assert_eq!(here.end_of(&daemons), r#"{"kind":"exited","code":3}"#);
}

/// What Apptainer 1.4.5 says and ends with.
#[test]
fn a_container_that_is_not_made() {
    let cases = [
        (255, "FATAL:   container creation failed: mount hook function failure: no", "container"),
        (255, "FATAL:   stat /bin/sh: no such file or directory", "container"),
        (
            1,
            "Error for command \"exec\": unknown flag: --bogus\n\nOptions:\n  --errors",
            "container",
        ),
        (
            1,
            "ERROR  : Requesting capability set 0x1 while permitted capability set is 0x2",
            "container",
        ),
        (255, "FATAL:   while creating session dir: no space left on device", "container start"),
        (255, "", "container"),
    ];
    for (status, said, step) in cases {
        let fails =
            format!("[[ $what != exec ]] || {{ printf '%s\\n' '{said}' >&2; exit {status}; }}");
        let here = Here::standing_in(&fails);
        let end = here.end_of("echo ran");
        let (failed, reason) = set_up_failed(&end);
        assert_eq!(failed, step, "{end}");
        let first = said.lines().next().unwrap_or("says nothing (status 255)");
        let first = first.trim_start_matches("FATAL:").trim().replace('"', "\\\"");
        assert!(reason.starts_with(&first) || reason.contains("says nothing"), "{first}: {end}");
        assert_eq!(reason.contains("has to have one"), said.contains("/bin/sh"), "{end}");
        assert_eq!(here.log("out"), "");
    }
}

#[test]
fn flags_that_it_does_not_take() {
    let here = Here::new();
    let case = Case { apptainer_flags: "--bogus=1".into(), ..here.case("") };
    let end = here.run(&case);
    let (step, reason) = set_up_failed(&end);
    assert!(step == "container" && reason.contains("unknown flag: --bogus"), "{end}");
}

#[test]
fn a_program_that_is_not_there() {
    let here = Here::new();
    let script = here.path("judge");
    for (command, expected) in [
        (vec!["no-such-python".into(), "evaluate.py".into()], "no-such-python cannot be run"),
        (vec!["/no/such/judge".into()], "it is not there, or may not be executed"),
        (vec!["/bin/sh".into()], ""),
    ] {
        let case = Case { command, ..here.case("") };
        let end = here.run(&case);
        if expected.is_empty() {
            assert_eq!(end, r#"{"kind":"exited","code":0}"#, "{}", here.log("err"));
        } else {
            let (step, reason) = set_up_failed(&end);
            assert!(step == "command" && reason.contains(expected), "{end}");
        }
    }
    fs::write(&script, "#!/no/such/language -x\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    // Where the stand-in and the real one both have it.
    let inside = if here.real.is_some() { "/workspace/judge".into() } else { script };
    let end = here.run(&Case { command: vec![inside.into()], ..here.case("") });
    let (step, reason) = set_up_failed(&end);
    assert!(step == "command" && reason.contains(r#"names \"/no/such/language\""#), "{end}");
}

#[test]
fn a_results_dir_that_cannot_be_written() {
    let here = Here::standing_in(r#"set -- "${@/#$here\/results/\/nowhere}""#);
    let end = here.end_of("");
    let (step, reason) = set_up_failed(&end);
    assert!(step == "results dir" && reason.contains("cannot be written"), "{end}");
}

#[test]
fn an_engine_that_is_not_there() {
    let here = Here::new();
    let case = Case { engine: "/nowhere/apptainer".into(), ..here.case("") };
    let end = here.run(&case);
    let (step, reason) = set_up_failed(&end);
    assert!(step == "engine command" && reason.contains("/nowhere/apptainer: not found"), "{end}");
}

#[test]
fn an_engine_that_is_killed() {
    let here = Here::new();
    let case = here.case("echo started; exec sleep 1000");
    let script = here.start(&case, &[]);
    here.wait_for("started");
    let of_script = |pid: u32| crate::bash::children(pid);
    // The evaluator's parent is the script's child, and Apptainer is that one's.
    let mut below = of_script(script.id());
    eventually("Apptainer", || of_script(below[0]).len() == 1);
    below = of_script(below[0]);
    signal("-KILL", below[0]);
    let end = here.end(&case, script);
    assert!(end.contains(r#""kind":"engine_failed""#), "{end}");
    assert_eq!(left_of(here.home.path()), [""; 0]);
}

#[test]
fn a_job_that_goes_well_calls_it_once() {
    let here = Here::standing_in("");
    assert_eq!(here.end_of(""), r#"{"kind":"exited","code":0}"#);
    fs::remove_file(here.path("calls")).unwrap();
    assert_eq!(here.end_of(""), r#"{"kind":"exited","code":0}"#);
    assert_eq!(here.read("calls"), "exec\n");
}
