//! Every end that a container can come to.

use super::engine::{Here, docker, engines, owner, rootless};

/// The end of a job with this evaluator.
fn end(here: &Here, evaluator: &str) -> String {
    here.run(&here.case(evaluator))
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn exit_codes_are_the_evaluators_own() {
    for engine in engines() {
        let here = Here::new(&engine);
        let case = here.case("echo out; echo err >&2; touch results/made");
        assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
        assert_eq!(
            (here.log(&case, "out"), here.log(&case, "err")),
            ("out\n".into(), "err\n".into())
        );
        // The user of the job, which here is that of the test.
        assert_eq!(owner(&here.path("results/made")), owner(&here.path("results")));
        for code in [1, 3, 125, 126, 127] {
            let expected = format!(r#"{{"kind":"exited","code":{code}}}"#);
            assert_eq!(end(&here, &format!("exit {code}")), expected);
        }
        assert_eq!(end(&here, "kill -SEGV $$"), r#"{"kind":"signaled","signal":11}"#);
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_the_evaluator_leaves_ends_with_it() {
    for engine in engines() {
        let here = Here::new(&engine);
        let daemons = "setsid sleep 1000 & (setsid sleep 1000 &) & echo started; exit 3";
        assert_eq!(end(&here, daemons), r#"{"kind":"exited","code":3}"#);
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn out_of_memory_is_told_apart() {
    // Of Docker alone: Podman 4.3 does not tell with control groups of version 1.
    let here = Here::new(&docker());
    let mut case = here.case("tail /dev/zero");
    case.memory_bytes = Some(20 << 20);
    assert_eq!(here.run(&case), r#"{"kind":"out_of_memory"}"#);
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn processes_and_memory_are_bounded() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here
            .case("i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo many");
        case.pids = Some(20);
        assert_ne!(here.run(&case), r#"{"kind":"exited","code":0}"#);
        assert!(!here.log(&case, "out").contains("many"));
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn more_cpus_than_the_machine_has() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.cpus = Some(10_000);
        case.strict = !rootless(); // which can hold no job to them here
        assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#, "{}", here.log(&case, "err"));
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_program_that_the_image_lacks() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.command = vec!["python".into(), "evaluate.py".into()];
        let end = here.run(&case);
        assert!(
            end.contains(r#""kind":"setup_failed","step":"command""#),
            "{}: {end}",
            engine.name
        );
        assert!(end.contains("python cannot be run in a container of"), "{end}");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn flags_that_the_engine_does_not_take() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.docker_flags = "--shm-size=much".into();
        let end = here.run(&case);
        assert!(end.contains(r#""kind":"setup_failed","step":"container""#), "{end}");
        let reason = end.split_once(r#""reason":"#).map(|(_, reason)| reason);
        assert!(reason.is_some_and(|reason| reason.contains("much")), "{end}");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_engine_that_is_not_there() {
    let engine = docker();
    let here = Here::new(&engine);
    let mut case = here.case("");
    case.engine = "no-such-engine".into();
    let end = here.run(&case);
    let expected = r#"{"kind":"setup_failed","step":"engine command","status":127,"#;
    assert!(end.starts_with(expected), "{end}");

    let mut case = here.case("");
    case.inherited.retain(|(name, _)| name != "DOCKER_HOST");
    case.inherited.push(("DOCKER_HOST".into(), "unix:///nowhere.sock".into()));
    let end = here.run(&case);
    assert!(end.starts_with(r#"{"kind":"setup_failed","step":"engine","status":125,"#), "{end}");
    assert!(end.contains("nowhere"), "{end}");
}
