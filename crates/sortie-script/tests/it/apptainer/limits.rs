//! Limits, where they can be held and where not.

use std::fs;

use sortie_script::Trial;

use super::{Here, set_up_failed};
use crate::container::case::Case;

const GOOD: &str = r#"{"kind":"exited","code":0}"#;

fn limited(here: &Here) -> Case {
    Case { memory_bytes: Some(1 << 30), cpus: Some(2), pids: Some(100), ..here.case("") }
}

/// Runs a job on a machine that has systemd and control groups of version 2, or has not.
fn run(here: &Here, case: &Case, has_groups: bool) -> String {
    let place = if has_groups { here.path("") } else { here.path("none") };
    let script = case.render().unwrap().replace("/run/systemd/system", place.to_str().unwrap());
    let script = script.replace("/sys/fs/cgroup/cgroup.controllers", place.to_str().unwrap());
    // Each test is a machine of its own.
    let script = script.replace("/tmp/sortie-$EUID", here.path("node").to_str().unwrap());
    here.end(case, here.start_text(&script, case, &[]))
}

#[test]
fn a_job_is_refused_that_cannot_be_held_to_them() {
    let here = Here::standing_in("");
    let end = run(&here, &limited(&here), false);
    let (step, reason) = set_up_failed(&end);
    assert_eq!(step, "limits");
    assert!(reason.contains("cannot hold mem cpus pids_limit here"), "{end}");
    // Not for the number of processes alone, which has a default.
    let case = Case { pids: Some(100), ..here.case("") };
    assert_eq!(run(&here, &case, false), GOOD);
    assert!(!here.read("flags").contains("--pids-limit"));
    let case = Case { strict: false, ..limited(&here) };
    assert_eq!(run(&here, &case, false), GOOD);
    assert!(!here.read("flags").contains("--memory"));
    assert_eq!(here.log("out"), "", "it is for those who ask");
    let case = Case { trial: Trial::Container, ..case };
    assert_eq!(run(&here, &case, false), GOOD);
    assert_eq!(here.log("out"), "sortie: not held: mem cpus pids_limit\n");
}

#[test]
fn they_are_given_where_they_can_be_held() {
    let here = Here::standing_in("");
    assert_eq!(run(&here, &limited(&here), true), GOOD, "{}", here.log("err"));
    let flags = here.read("flags");
    for flag in ["--memory=1073741824", "--cpus=2", "--pids-limit=100"] {
        assert!(flags.contains(flag), "{flags}");
    }
    // Which was tried once.
    fs::remove_file(here.path("calls")).unwrap();
    assert_eq!(run(&here, &limited(&here), true), GOOD);
    assert_eq!(here.read("calls"), "exec\n");
}

#[test]
fn each_is_tried_for_itself() {
    let refuses = "[[ $what != exec || $* != *--memory* ]] || { echo 'FATAL:   while applying cgroups config' >&2; exit 255; }";
    let here = Here::standing_in(refuses);
    let case = Case { strict: false, ..limited(&here) };
    assert_eq!(run(&here, &case, true), GOOD);
    let flags = here.read("flags");
    assert!(!flags.contains("--memory") && flags.contains("--cpus=2"), "{flags}");
}
