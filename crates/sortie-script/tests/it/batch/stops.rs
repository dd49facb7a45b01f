//! What stops an evaluator, and that nothing of it stays.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use super::node::{Node, bashes, is_alive, kill, kill_all, parent, processes};

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

/// Each is found twice, in the evaluator's group and by the mark in its environment.
#[test]
fn a_process_is_asked_to_end_once() {
    let node = Node::new("echo x >ready; sleep 60 & wait");
    let noting = tempfile::NamedTempFile::new().unwrap();
    let kill_noted = r#"kill() { printf '%s\n' "$*" >>"$KILLS"; builtin kill "$@"; }"#;
    std::fs::write(noting.path(), kill_noted).unwrap();
    let mut script = node.session(&node.case());
    let mut script =
        script.env("BASH_ENV", noting.path()).env("KILLS", node.path("kills")).spawn().unwrap();
    node.wait_for("ready");
    kill("-TERM", script.id());
    assert_eq!(node.end(&mut script).end, r#"{"kind":"terminated","signal":15}"#);
    let kills = node.text("kills");
    let asked = kills.lines().find_map(|line| line.strip_prefix("-TERM ")).unwrap();
    let mut asked: Vec<_> = asked.split(' ').collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert!(all > 1 && asked.len() == all, "{kills}");
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

/// A bash that tells of no end, and knows of none any more once it was asked, as 5.3 may do after a signal.
const FORGETFUL: &str = r#"
declare -A known
wait() {
  (($# > 0)) || { builtin wait 2>/dev/null; return; }
  [[ -z ${known[$1]-} ]] || return 127
  builtin wait "$@" 2>/dev/null
  local status=$?
  kill -0 "$1" 2>/dev/null || known[$1]=1
  return "$status"
}
set() { [[ $1 == -m ]] || builtin set "$@"; }
"#;

/// What Slurm does at a time limit or to a job that is cancelled.
#[test]
fn a_signal_to_all_processes_of_the_job_is_no_death_of_the_evaluator() {
    for bash in bashes() {
        for forgetful in [false, true] {
            for evaluator_first in [true, false] {
                let node = Node {
                    bash: bash.clone(),
                    ..Node::new("echo $$ >pid; echo x >ready; exec sleep 60")
                };
                let forget = tempfile::NamedTempFile::new().unwrap(); // bash expands its name
                std::fs::write(forget.path(), FORGETFUL).unwrap();
                let variables = [("BASH_ENV", forget.path())];
                let mut script = node.session(&node.case());
                script.envs(variables.into_iter().filter(|_| forgetful));
                let mut script = script.spawn().unwrap();
                node.wait_for("ready");
                let mut pids = processes(script.id());
                pids.sort_unstable();
                if evaluator_first {
                    pids.reverse();
                }
                kill_all("-TERM", &pids);
                let ended = node.end(&mut script);
                assert_eq!(ended.end, r#"{"kind":"terminated","signal":15}"#, "{ended:?}");
                assert_eq!(ended.stderr, "", "bash's own words");
            }
        }
    }
}

/// An evaluator may be told by another process that ends, and end in a way of its own.
#[test]
fn one_that_fails_as_the_job_is_ended_is_not_to_blame() {
    let node = Node::new(
        "trap 'exit 143' TERM; echo $$ >pid; echo x >ready; while :; do sleep 0.01; done",
    );
    let mut script = started(&node);
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

/// The evaluator is Slurm's to kill then; what the script itself has started must not need that.
#[test]
fn the_evaluators_parent_ends_with_a_script_that_is_killed() {
    let node = Node::new("echo $$ >pid; echo x >ready; exec sleep 60");
    let mut script = node.start_session(&node.case());
    node.wait_for("ready");
    let evaluator = node.text("pid").trim().parse().unwrap();
    let parent = parent(evaluator).to_string();
    script.kill().unwrap();
    script.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while is_alive(&parent) {
        assert!(Instant::now() < deadline, "the evaluator's parent lives on");
        std::thread::sleep(Duration::from_millis(50));
    }
    kill("-KILL", evaluator);
}

/// Once its parent is killed, init waits for the evaluator, and may be first.
#[test]
fn an_end_that_nobody_saw_is_not_made_up() {
    let node =
        Node::new("echo $$ >pid; echo x >ready; until [ -e go ]; do sleep 0.05; done; exit 3");
    let mut script = started(&node);
    kill("-KILL", parent(node.text("pid").trim().parse().unwrap()));
    node.home.write("go", "");
    let ended = node.end(&mut script);
    if ended.status.code() == Some(3) {
        // The script was quicker than init.
        assert_eq!(ended.end, r#"{"kind":"exited","code":3}"#);
    } else {
        assert_eq!((ended.end.as_str(), ended.status.code()), ("", Some(125)), "{ended:?}");
        assert!(ended.stderr.starts_with("sortie: how the evaluator ended is not known"));
    }
}
