//! How an evaluator can end, and what the record says.

use super::node::{Ended, Node};

/// The end of an evaluator that does this.
fn end_of(evaluator: &str) -> Ended {
    let node = Node::new(evaluator);
    node.run(&node.case())
}

#[test]
fn success() {
    let node = Node::new("echo out; echo err >&2; echo {} >\"$5/metrics.json\"; pwd");
    let case = node.case();
    let ended = node.run(&case);
    assert_eq!(ended.end, r#"{"kind":"exited","code":0}"#, "{ended:?}");
    assert!(ended.status.success());
    assert_eq!(ended.stdout, format!("out\n{}\n", node.home.path().display()));
    assert_eq!(ended.stderr, "err\n");
    assert_eq!(node.text("results/metrics.json"), "{}\n");
    let record = node.text("results/job_end.json");
    let start = format!(
        r#"{{"version":1,"attempt":"{}","job_id":"7","host":"node1","started_at":"#,
        case.ids()[0]
    );
    assert!(record.starts_with(&start), "{record}");
    assert!(node.text("results/job_start.json").starts_with(&start));
    assert_eq!(node.text("slurm.out") + &node.text("slurm.err"), "");
    let mut left: Vec<_> = std::fs::read_dir(node.path("results"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let expected = ["job_end.json", "job_log.err", "job_log.out", "job_start.json", "metrics.json"];
    assert_eq!(left, expected);
}

#[test]
fn cpu_time_is_recorded() {
    // A child of the evaluator uses it, and the evaluator waits for that.
    let burn = "sh -c 'n=0; while [ $n -lt 300000 ]; do n=$((n + 1)); done'";
    for (evaluator, kind) in [
        (burn.to_owned(), "exited"),
        (format!("{burn}; kill -9 $$"), "signaled"),
        (format!("{burn}; kill -TERM $PPID; sleep 20"), "terminated"),
    ] {
        let node = Node::new(&evaluator);
        let ended = node.run(&node.case());
        assert!(ended.end.contains(kind), "{ended:?}");
        let record = node.text("results/job_end.json");
        let seconds = |member: &str| -> f64 {
            let (_, rest) = record.split_once(member).unwrap();
            rest.split([',', '}']).next().unwrap().parse().unwrap()
        };
        let user = seconds("\"cpu_user_seconds\":");
        assert!((0.05..60.0).contains(&user), "{kind}: {record}");
        assert!(seconds("\"cpu_system_seconds\":") < 60.0, "{kind}: {record}");
    }
}

#[test]
fn exit_codes_are_no_signals() {
    for code in [1, 2, 126, 127, 128, 129, 137, 139, 143, 255] {
        let ended = end_of(&format!("exit {code}"));
        assert_eq!(ended.end, format!(r#"{{"kind":"exited","code":{code}}}"#), "{ended:?}");
        assert_eq!(ended.status.code(), Some(code));
    }
}

#[test]
fn signals_are_no_exit_codes() {
    for signal in [1, 2, 6, 9, 11, 13, 15, 34, 64] {
        let ended = end_of(&format!("kill -{signal} $$"));
        let expected = format!(r#"{{"kind":"signaled","signal":{signal}}}"#);
        assert_eq!(ended.end, expected, "{ended:?}");
        assert_eq!(ended.status.code(), Some(128 + signal));
    }
}

#[test]
fn later_ends_are_told_apart_too() {
    assert_eq!(end_of("sleep 0.2; exit 137").end, r#"{"kind":"exited","code":137}"#);
    assert_eq!(end_of("sleep 0.2; kill -9 $$").end, r#"{"kind":"signaled","signal":9}"#);
}

#[test]
fn one_that_was_suspended_goes_on() {
    let node = Node::new("echo $$ >pid; sleep 0.3; exit 4");
    let mut script = node.start(&node.case(), &[]);
    let pid = node.wait_for("pid").trim().parse().unwrap();
    super::node::kill("-STOP", pid);
    std::thread::sleep(std::time::Duration::from_millis(500));
    super::node::kill("-CONT", pid);
    assert_eq!(node.end(&mut script).end, r#"{"kind":"exited","code":4}"#);
}

#[test]
fn a_flooded_log_ends_it() {
    let node = Node::new("yes");
    let ended = node.run(&super::case::Case { max_log_bytes: 100_000, ..node.case() });
    assert_eq!(ended.end, r#"{"kind":"output_limit","limit_bytes":100000}"#);
    assert_eq!(ended.status.code(), Some(122));
    assert!(ended.stderr.ends_with("sortie: a log has more than 100000 bytes\n"));
}

#[test]
fn a_log_found_too_long_at_the_end_counts_too() {
    let node = Node::new("head -c 100001 /dev/zero >&2");
    let ended = node.run(&super::case::Case { max_log_bytes: 100_000, ..node.case() });
    assert_eq!(ended.end, r#"{"kind":"output_limit","limit_bytes":100000}"#);
    let node = Node::new("head -c 100000 /dev/zero >&2");
    let ended = node.run(&super::case::Case { max_log_bytes: 100_000, ..node.case() });
    assert_eq!(ended.end, r#"{"kind":"exited","code":0}"#);
}
