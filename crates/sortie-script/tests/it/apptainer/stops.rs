//! Stopped jobs.

use super::{Here, signal};

const TERMINATED: &str = r#"{"kind":"terminated","signal":15}"#;

#[test]
fn a_signal_stops_the_container() {
    for evaluator in [
        "trap 'echo bye; exit 0' TERM; echo started; sleep 1000 & wait",
        "trap '' TERM; echo started; sleep 1000",
        "trap '' TERM; setsid sleep 1000 & echo started; while :; do sleep 1; done",
    ] {
        let here = Here::new();
        let case = here.case(&format!("{evaluator}; : {}", here.path("").display()));
        let script = here.start(&case, &[]);
        here.wait_for("started");
        signal("-TERM", script.id());
        assert_eq!(here.end(&case, script), TERMINATED);
        assert_eq!(here.log("out").matches("bye").count(), evaluator.matches("bye").count());
    }
}

/// Of those that end at the second signal, as at a second Ctrl-C.
#[test]
fn a_signal_is_passed_on_once() {
    let here = Here::new();
    let twice = "trap 'n=$((n + 1)); echo told $n' TERM; echo started; while :; do sleep 0.1; done";
    let case = here.case(twice);
    let script = here.start(&case, &[]);
    here.wait_for("started");
    signal("-TERM", script.id());
    assert_eq!(here.end(&case, script), TERMINATED);
    assert!(here.log("out").ends_with("told 1\n"), "{}", here.log("out"));
}

#[test]
fn a_flood_of_output_is_stopped() {
    let here = Here::new();
    let case = here.case("trap '' TERM; yes");
    assert_eq!(here.run(&case), r#"{"kind":"output_limit","limit_bytes":1048576}"#);
}
