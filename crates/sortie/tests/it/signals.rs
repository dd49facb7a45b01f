//! Ctrl-C and its like, and a tool that is killed.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{INTERRUPTED, of_signal};

use crate::stage::{self, Stage, ended, eventually};

/// Takes no notice of SIGTERM, nor do its children, one of which has left its session.
pub(crate) const STUBBORN: &str = r#"
    trap '' TERM
    setsid sleep 600 &
    sleep 600 &
    : > "$4/ready"
    wait; sleep 600"#;

fn send(tool: &Child, signal: Signal) {
    send_to(tool.id().cast_signed(), signal);
}

fn send_to(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// As often as it takes, since signals that come too soon after one another become one.
fn interrupt_until_it_ends(tool: &mut Child) {
    eventually("the tool to leave", || {
        let over = tool.try_wait().unwrap().is_some();
        if !over {
            send(tool, Signal::INT);
        }
        over
    });
}

/// The children of a process with one thread.
fn children(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn ctrl_c_stops_the_job_with_all_its_processes_and_reports() {
    let stage = Stage::shell(STUBBORN, "time: 5\nlimits: {grace_seconds: 0.2}\n");
    let tool = stage.start();
    stage.appears("results/ready");
    send(&tool, Signal::INT);
    let ran = ended(tool);
    stage.is_empty();
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert_eq!(ran.verdict(), ("cancelled".into(), None, "cancelled".into()));
    assert_eq!(ran.stderr, "");
    let record = stage.read("results/job.json");
    assert!(record.contains("\"cancelled\""), "{record}");
}

#[test]
fn what_the_job_does_on_sigterm_is_reported() {
    let evaluator = r#"
        trap 'echo tidied up; exit 0' TERM
        : > "$4/ready"
        while :; do sleep 0.05; done"#;
    let stage = Stage::shell(evaluator, "time: 5\nlimits: {grace_seconds: 600}\n");
    let tool = stage.start();
    stage.appears("results/ready");
    send(&tool, Signal::INT);
    let ran = ended(tool);
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert_eq!(ran.verdict().0, "cancelled");
    assert_eq!(ran.results()["stdout_log"].as_str(), Some("tidied up\n"));
}

#[test]
fn a_second_ctrl_c_kills() {
    let evaluator = r#"
        trap ': > "$4/asked"' TERM
        : > "$4/ready"
        while :; do sleep 0.05; done"#;
    let stage = Stage::shell(evaluator, "time: 5\nlimits: {grace_seconds: 600}\n");
    let tool = stage.start();
    stage.appears("results/ready");
    send(&tool, Signal::INT);
    stage.appears("results/asked");
    send(&tool, Signal::INT);
    let ran = ended(tool);
    stage.is_empty();
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert_eq!(ran.verdict().0, "cancelled");
}

#[test]
fn other_requests_to_stop_have_their_own_status() {
    for signal in [Signal::TERM, Signal::HUP] {
        let stage = Stage::shell(": > \"$4/ready\"; exec sleep 600", "time: 5\n");
        let tool = stage.start();
        stage.appears("results/ready");
        send(&tool, signal);
        let ran = ended(tool);
        stage.is_empty();
        let expected = of_signal(u8::try_from(signal.as_raw()).unwrap());
        assert_eq!(ran.status, Some(expected.into()), "{ran:?}");
        assert_eq!(ran.verdict().0, "cancelled");
    }
}

#[test]
fn a_signal_that_was_ignored_stays_so() {
    let evaluator = format!(
        r#": > "$4/ready"; while [ ! -e "$4/go" ]; do sleep 0.05; done; {}"#,
        stage::CORRECT
    );
    let stage = Stage::shell(&evaluator, "");
    // As nohup(1) does, and a shell script with what it puts into the background.
    let ignoring = r#"trap '' HUP; exec "$0" run --config job.yaml candidate.py results"#;
    let mut command = stage.command("sh");
    command.args(["-c", ignoring, env!("CARGO_BIN_EXE_sortie")]).process_group(0);
    let tool = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    stage.appears("results/ready");
    send(&tool, Signal::HUP);
    stage.write("results/go", "");
    let ran = ended(tool);
    assert_eq!((ran.status, ran.verdict().0), (Some(0), "exited".into()), "{ran:?}");
}

#[test]
fn nothing_outlives_a_tool_that_is_killed() {
    let stage = Stage::shell(STUBBORN, "time: 5\nlimits: {grace_seconds: 600}\n");
    let tool = stage.start();
    stage.appears("results/ready");
    // A process has no environment to be known by while it becomes another program.
    eventually("the test to see the processes", || stage.processes().len() > 3);
    send(&tool, Signal::KILL);
    assert_eq!(ended(tool).status, None);
    stage.empties();
}

#[test]
fn a_third_ctrl_c_leaves_at_once_whatever_the_helpers_do() {
    let evaluator = r#": > "$4/ready"; exec sleep 600"#;
    let stage = Stage::shell(evaluator, "time: 5\nlimits: {grace_seconds: 600}\n");
    let mut tool = stage.start();
    stage.appears("results/ready");
    // Neither stopping nor killing can get anywhere now.
    let mut helpers = children(tool.id().cast_signed());
    helpers.extend(helpers.clone().into_iter().flat_map(children));
    assert_eq!(helpers.len(), 2, "a spawn server and a reaper");
    let to_helpers = |signal| helpers.iter().for_each(|pid| send_to(*pid, signal));
    to_helpers(Signal::STOP);
    interrupt_until_it_ends(&mut tool);
    to_helpers(Signal::CONT);
    let ran = ended(tool);
    ran.is_error(INTERRUPTED, "interrupted a third time");
    stage.empties();
}

#[test]
fn ctrl_c_ends_a_tool_whose_output_nobody_reads() {
    let stage = Stage::shell(&format!("seq 100000; {}", stage::CORRECT), "");
    let mut tool = stage.start();
    stage.appears("results/job.json");
    assert!(tool.try_wait().unwrap().is_none(), "more than fits into a pipe waits to be read");
    interrupt_until_it_ends(&mut tool);
    assert_eq!(tool.wait().unwrap().code(), Some(INTERRUPTED.into()));
}

#[test]
fn nor_with_a_job_that_stops_its_owner() {
    let evaluator = format!("kill -STOP $PPID; {STUBBORN}");
    let stage = Stage::shell(&evaluator, "");
    let tool = stage.start();
    stage.appears("results/ready");
    send(&tool, Signal::KILL);
    assert_eq!(ended(tool).status, None);
    stage.empties();
}
