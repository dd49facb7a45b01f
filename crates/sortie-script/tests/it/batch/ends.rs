//! How an evaluator can end, and what the record says.

use std::{path::Path, thread::sleep, time::Duration};

use super::node::{Ended, Node, bashes, kill, kill_all, parent, processes};

/// The end of an evaluator that does this.
fn end_of(evaluator: &str) -> Ended {
    let node = Node::new(evaluator);
    node.run(&node.case())
}

/// The same, with this bash.
fn end_in(bash: &Path, evaluator: &str) -> Ended {
    let node = Node { bash: bash.into(), ..Node::new(evaluator) };
    node.run(&node.case())
}

/// As where Slurm gave a node up that lives on, so that there is another attempt: both have one launcher's directory.
#[test]
fn what_another_attempt_has_there_is_left_alone() {
    for other in [false, true] {
        let node = Node::new(
            "echo {} >\"$5/metrics.json\"; sleep 60 & echo x >ready; until [ -e go ]; do sleep 0.01; done; exit 3",
        );
        let case = node.case();
        let mut script = node.start(&case, &[]);
        node.wait_for("ready");
        let attempt = if other { "another".to_owned() } else { case.ids()[0].to_string() };
        std::fs::write(
            node.path("results/submitted.json"),
            format!(r#"{{"version":1,"attempt":"{attempt}"}}"#),
        )
        .unwrap();
        std::fs::write(node.path("go"), "").unwrap();
        let ended = node.end(&mut script);
        assert_eq!(ended.status.code(), Some(3), "{ended:?}");
        let expected = if other { "" } else { r#"{"kind":"exited","code":3}"# };
        assert_eq!(ended.end, expected);
        assert_eq!(node.path("results/at_end").exists(), !other);
    }
}

#[test]
fn there_are_no_core_files_unless_it_wants_them() {
    let node = Node::new("ulimit -Sc; ulimit -Sc 8; ulimit -Sc");
    let mut script = node.through(&node.case(), "prlimit", &["--core=4096:8192"]).spawn().unwrap();
    assert_eq!(node.end(&mut script).stdout, "0\n8\n");
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
        (format!("{burn}; echo x >ready; exec sleep 60"), "terminated"),
    ] {
        let node = Node::new(&evaluator);
        let mut script = node.start(&node.case(), &[]);
        if kind == "terminated" {
            node.wait_for("ready");
            kill("-TERM", script.id());
        }
        let ended = node.end(&mut script);
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
    for bash in bashes() {
        for code in [1, 2, 126, 127, 128, 129, 137, 139, 143, 255] {
            let ended = end_in(&bash, &format!("exit {code}"));
            assert_eq!(ended.end, format!(r#"{{"kind":"exited","code":{code}}}"#), "{ended:?}");
            assert_eq!(ended.status.code(), Some(code));
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn signals_are_no_exit_codes() {
    for bash in bashes() {
        for signal in [1, 2, 6, 9, 11, 13, 15, 34, 64] {
            let ended = end_in(&bash, &format!("kill -{signal} $$"));
            let expected = format!(r#"{{"kind":"signaled","signal":{signal}}}"#);
            assert_eq!(ended.end, expected, "{ended:?}");
            assert_eq!(ended.status.code(), Some(128 + signal));
            assert_eq!(ended.stderr, "", "bash's own words");
        }
    }
}

#[test]
fn later_ends_are_told_apart_too() {
    assert_eq!(end_of("sleep 0.4; exit 137").end, r#"{"kind":"exited","code":137}"#);
    assert_eq!(end_of("sleep 0.4; kill -9 $$").end, r#"{"kind":"signaled","signal":9}"#);
}

/// As with sudo: what the kernel tells of the end of another user's process is nothing, for all but root.
#[test]
#[ignore = "needs root: cargo xtask test"]
fn an_evaluator_that_becomes_another_user() {
    for (end, expected) in [
        ("exit 0", r#"{"kind":"exited","code":0}"#),
        ("exit 3", r#"{"kind":"exited","code":3}"#),
        ("kill -9 $$", r#"{"kind":"signaled","signal":9}"#),
    ] {
        let node = Node::new(&format!("exec setpriv --reuid=65533 --clear-groups sh -c '{end}'"));
        // Without the capability by which root reads it all the same.
        let mut script =
            node.command_as(&node.case(), &["--bounding-set=-sys_ptrace"]).spawn().unwrap();
        let ended = node.end(&mut script);
        assert_eq!(ended.end, expected, "{ended:?}");
    }
}

/// What `scontrol suspend` and `resume` do, to all and to the evaluator alone, while it ends.
#[test]
fn one_that_is_stopped_has_not_ended() {
    for bash in bashes() {
        let node = Node {
            bash,
            ..Node::new("echo $$ >pid; until [ -e go ]; do sleep 0.05; done; exit 4")
        };
        let mut script = node.start_session(&node.case());
        let evaluator = node.wait_for("pid").trim().parse().unwrap();
        for signals in [["-TSTP", "-CONT"], ["-STOP", "-CONT"], ["-TTIN", "-CONT"]] {
            for pids in [vec![evaluator], processes(script.id())] {
                for signal in signals {
                    kill_all(signal, &pids);
                    sleep(Duration::from_millis(30));
                }
            }
        }
        assert!(script.try_wait().unwrap().is_none(), "{}", node.text("results/job_end.json"));
        assert_eq!(parent(parent(evaluator)), script.id(), "it has another parent");
        node.home.write("go", "");
        let ended = node.end(&mut script);
        assert_eq!(ended.end, r#"{"kind":"exited","code":4}"#, "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}

/// Reading how long a script was on a CPU: while its evaluator is stopped it has nothing to do.
#[test]
fn nothing_spins_while_the_evaluator_is_stopped() {
    let node = Node::new("echo $$ >pid; exec sleep 60");
    let mut script = node.start(&node.case(), &[]);
    let evaluator = node.wait_for("pid").trim().parse().unwrap();
    kill("-STOP", evaluator);
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", script.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    };
    let before = ticks();
    sleep(Duration::from_secs(1));
    let used = ticks() - before;
    kill("-TERM", script.id());
    let ended = node.end(&mut script);
    assert_eq!(ended.end, r#"{"kind":"terminated","signal":15}"#, "{ended:?}");
    assert!(used < 30, "{used} of about 100 ticks");
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
