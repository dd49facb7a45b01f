//! What stops an evaluator, and that nothing of it stays.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use super::node::{Node, is_alive, kill};

/// Starts the script, and waits until the evaluator has written `ready`.
fn started(node: &Node) -> Child {
    let script = node.start(&node.case(), &[]);
    node.wait_for("ready");
    script
}

#[test]
fn term_ends_the_evaluator_and_is_recorded() {
    for (signal, number) in [("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        let node =
            Node::new("echo $$ >pid; trap 'echo asked; exit 3' TERM; echo >ready; sleep 60 & wait");
        let mut script = started(&node);
        kill(signal, script.id());
        let ended = node.end(&mut script);
        assert_eq!(ended.end, format!(r#"{{"kind":"terminated","signal":{number}}}"#));
        assert_eq!(ended.status.code(), Some(128 + number), "{ended:?}");
        assert_eq!(ended.stdout, "asked\n");
        assert!(!is_alive(&node.text("pid")));
    }
}

#[test]
fn one_that_ignores_term_is_killed_after_the_grace_period() {
    let node = Node::new("trap '' TERM; echo $$ >pid; echo x >ready; while :; do sleep 1; done");
    let mut script = started(&node);
    let start = Instant::now();
    kill("-TERM", script.id());
    let ended = node.end(&mut script);
    assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
    assert_eq!(ended.end, r#"{"kind":"terminated","signal":15}"#, "{ended:?}");
    assert!(!is_alive(&node.text("pid")));
}

#[test]
fn a_signal_to_all_processes_of_the_job_is_no_death_of_the_evaluator() {
    let node = Node::new("echo $$ >pid; echo x >ready; exec sleep 60");
    let mut script = started(&node);
    // The evaluator first, as it may happen.
    kill("-TERM", node.text("pid").trim().parse().unwrap());
    kill("-TERM", script.id());
    assert_eq!(node.end(&mut script).end, r#"{"kind":"terminated","signal":15}"#);
}

#[test]
fn survivors_are_found_and_stopped() {
    for (what, spawn) in [
        ("background", "sleep 60 & echo $! >pid"),
        ("ignores term", "sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' &"),
        ("stopped", "sleep 60 & echo $! >pid; kill -STOP $!"),
        ("setsid", "setsid sh -c 'echo $$ >pid; exec sleep 60' &"),
        ("double fork", "(setsid sh -c '(sh -c \"echo \\$\\$ >pid; exec sleep 60\" &)' &)"),
    ] {
        for end in ["exit 5", "echo x >ready; sleep 60"] {
            let node = Node::new(&format!("{spawn}\nuntil [ -s pid ]; do sleep 0.01; done\n{end}"));
            let mut script = node.start(&node.case(), &[]);
            if end.contains("ready") {
                node.wait_for("ready");
                kill("-TERM", script.id());
            }
            let ended = node.end(&mut script);
            let expected = if end.contains("ready") { "terminated" } else { "exited" };
            assert!(ended.end.contains(expected), "{what}: {ended:?}");
            assert!(!is_alive(&node.wait_for("pid")), "{what} survived");
        }
    }
}

#[test]
fn a_job_beside_is_left_alone() {
    let [one, other] = [(); 2].map(|()| Node::new("echo $$ >pid; echo x >ready; exec sleep 60"));
    let [mut first, mut second] = [started(&one), started(&other)];
    kill("-TERM", first.id());
    one.end(&mut first);
    assert!(is_alive(&other.text("pid")));
    kill("-TERM", second.id());
    other.end(&mut second);
}

#[test]
fn term_while_setting_up() {
    let node = Node::new("echo ran >&2");
    let activate = node.home.write("activate", "echo $$ >ready; sleep 60");
    let mut case = node.case();
    case.activation = super::case::Activation::Sourced(activate);
    let mut script = node.start(&case, &[]);
    node.wait_for("ready");
    kill("-TERM", script.id());
    let ended = node.end(&mut script);
    assert_eq!(ended.end, r#"{"kind":"terminated","signal":15}"#, "{ended:?}");
    assert!(!ended.stderr.contains("ran"));
}

/// The child that a script keeps beside its evaluator: what else it starts is gone in a moment.
fn watch(script: u32, evaluator: &str) -> String {
    let path = format!("/proc/{script}/task/{script}/children");
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut before = None;
    loop {
        let children = std::fs::read_to_string(&path).unwrap();
        let others: Vec<_> = children.split_whitespace().filter(|pid| *pid != evaluator).collect();
        let now = (others.len() == 1).then(|| others[0].to_owned());
        match (now, before) {
            (Some(now), Some(before)) if now == before => return now,
            (now, _) => before = now,
        }
        assert!(Instant::now() < deadline, "children: {children}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The evaluator is Slurm's to kill then; what the script itself has started must not need that.
#[test]
fn the_watch_ends_with_a_script_that_is_killed() {
    let node = Node::new("echo $$ >pid; echo x >ready; exec sleep 60");
    let mut script = started(&node);
    let evaluator = node.text("pid");
    let watch = &watch(script.id(), evaluator.trim());
    script.kill().unwrap();
    script.wait().unwrap();
    kill("-KILL", evaluator.trim().parse().unwrap());
    let deadline = Instant::now() + Duration::from_secs(120);
    while is_alive(watch) {
        assert!(Instant::now() < deadline, "the watch lives on");
        std::thread::sleep(Duration::from_millis(50));
    }
}
