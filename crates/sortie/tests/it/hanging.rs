//! The tool where the file system of a results dir does not answer: signals are heeded, other candidates go on.

use std::fs;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, of_signal};

use crate::hung::Mount;
use crate::stage::{CORRECT as GOOD, Stage, ended, eventually, ran};

/// Notes who has begun and who is about to end, and waits before the end where it is asked to.
const WAITS: &str = r#"
name=${4##*/}
echo $$ > "$name.pid"
: > "$name.written"
while [ -e "$name.wait" ]; do sleep 0.01; done
"#;

const SIGTERM: u8 = 15;

fn terminate(tool: &Child) {
    kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
}

/// A sweep of three candidates, one after the other.
fn sweep(stage: &Stage) -> Child {
    let args = ["sweep", "--config", "job.yaml", "--out", "out", "--workers", "1", "c"];
    stage.sortie(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn candidates() -> Stage {
    let stage = Stage::shell(&format!("{GOOD}{WAITS}"), "");
    for name in ["p0", "p1", "p2"] {
        stage.write(format!("c/{name}.py"), "");
    }
    stage
}

fn is_done(stage: &Stage, name: &str) -> bool {
    let lines = fs::read_to_string(stage.path("out/results.jsonl")).unwrap_or_default();
    lines.contains(&format!("\"id\":\"{name}\""))
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn a_run_is_ended_by_sigterm() {
    let stage = Stage::shell(&format!("{GOOD}{WAITS}"), "");
    let mount = Mount::on(&stage.path("results"));
    stage.write("results.wait", "");
    let tool = stage.start();
    stage.appears("results.written");
    mount.hangs();
    fs::remove_file(stage.path("results.wait")).unwrap();
    let evaluator = stage.path(format!("/proc/{}", stage.read("results.pid").trim()));
    eventually("the evaluator to end", || !evaluator.exists());
    terminate(&tool);
    let ran = ended(tool);
    assert_eq!(ran.status, Some(of_signal(SIGTERM).into()), "{ran:?}");
    assert!(ran.stdout.contains("does not answer"), "{ran:?}");
    mount.answers();
    stage.empties();
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn other_candidates_of_a_sweep_go_on() {
    let stage = candidates();
    stage.write("p1.wait", "");
    stage.write("p0.wait", "");
    let tool = sweep(&stage);
    stage.appears("p0.written");
    let mount = Mount::on(&stage.path("out/p1"));
    fs::remove_file(stage.path("p0.wait")).unwrap();
    stage.appears("p1.written");
    mount.hangs();
    fs::remove_file(stage.path("p1.wait")).unwrap();
    eventually("the last candidate", || is_done(&stage, "p2"));
    assert!(!is_done(&stage, "p1"));
    mount.answers();
    let ran = ended(tool);
    assert_eq!(ran.status, Some(CORRECT.into()), "{ran:?}");
    assert!(ran.stdout.contains("all 3 candidates are done: 3 correct"), "{ran:?}");
}

#[test]
#[ignore = "needs root: cargo xtask test"]
fn a_sweep_is_ended_by_sigterm_and_resumed() {
    let stage = candidates();
    stage.write("p0.wait", "");
    let tool = sweep(&stage);
    stage.appears("p0.written");
    let mount = Mount::on(&stage.path("out/p1"));
    mount.hangs();
    fs::remove_file(stage.path("p0.wait")).unwrap();
    eventually("the last candidate", || is_done(&stage, "p2"));
    terminate(&tool);
    let stopped = ended(tool);
    assert_eq!(stopped.status, Some(of_signal(SIGTERM).into()), "{stopped:?}");
    mount.answers();
    let resumed = ran(&mut stage.sortie(["sweep", "--resume", "out"]));
    assert_eq!(resumed.status, Some(CORRECT.into()), "{resumed:?}");
    assert!(resumed.stdout.contains("all 3 candidates are done: 3 correct"), "{resumed:?}");
}

/// Where results that were recorded are only read.
#[test]
#[ignore = "needs root: cargo xtask test"]
fn other_candidates_of_a_sweep_are_written_down() {
    let stage = candidates();
    let whole = ended(sweep(&stage));
    assert_eq!(whole.status, Some(CORRECT.into()), "{whole:?}");
    // As though the launcher had been killed before it wrote down more than the first.
    let ledger = stage.read("out/ledger.jsonl");
    let ends = ledger.match_indices("{\"end\":").map(|(at, _)| at).collect::<Vec<_>>();
    let cut = ledger[..ends[1]].rfind('\n').unwrap() + 1;
    stage.write("out/ledger.jsonl", &ledger[..cut]);
    let lines = stage.read("out/results.jsonl");
    stage.write("out/results.jsonl", &lines[..=lines.find('\n').unwrap()]);
    let moved = stage.path("p1");
    fs::rename(stage.path("out/p1"), &moved).unwrap();
    let mount = Mount::on(&stage.path("out/p1"));
    for file in fs::read_dir(&moved).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), stage.path("out/p1").join(file.file_name())).unwrap();
        }
    }
    mount.hangs();
    let resume = || stage.sortie(["sweep", "--resume", "out"]);
    let tool = resume().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the last candidate", || is_done(&stage, "p2"));
    assert!(!is_done(&stage, "p1"));
    terminate(&tool);
    let stopped = ended(tool);
    assert_eq!(stopped.status, Some(of_signal(SIGTERM).into()), "{stopped:?}");
    mount.answers();
    let resumed = ran(&mut resume());
    assert!(resumed.stdout.contains("all 3 candidates are done: 3 correct"), "{resumed:?}");
}
