//! From the command line to the summary.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, INFRASTRUCTURE, INTERRUPTED, SETUP};
use sortie_results::Value;

use super::{SCORES, begin, results, resume, runs, stage};
use crate::stage::{Stage, ended, eventually, ran};

#[test]
fn a_sweep_from_its_beginning_to_its_summary() {
    let stage = stage(SCORES, "", 7);
    stage.write("c/q.py", "none\n");
    let first = ran(&mut begin(&stage));
    assert_eq!((first.status, first.stderr.as_str()), (Some(CORRECT.into()), ""), "{first:?}");
    insta::assert_snapshot!(first.stdout);
    assert_eq!((results(&stage).len(), runs(&stage).len()), (8, 8));
    let again = ran(&mut resume(&stage));
    assert_eq!((again.status, &again.stdout), (Some(CORRECT.into()), &first.stdout));
    let json = ran(resume(&stage).arg("--json"));
    insta::assert_snapshot!(json.stdout);
    assert_eq!(runs(&stage).into_values().max(), Some(1));
    let second = ran(&mut begin(&stage));
    second.is_error(SETUP, "out holds a sweep already");
    assert!(second.stderr.contains("hint: resume it: `sortie sweep --resume out`"));
    let usage = ran(&mut stage.sortie(["sweep", "c"]));
    assert_eq!(usage.status, Some(SETUP.into()), "{usage:?}");
    let nothing = ran(&mut stage.sortie(["sweep", "--resume", "c"]));
    nothing.is_error(SETUP, "holds no sweep: it has no ledger.jsonl");
}

#[test]
fn the_status_says_what_kept_candidates_from_a_verdict() {
    let stage = stage("rm -f evaluate.sh", "", 2);
    let ran = ran(begin(&stage).args(["--json", "--workers", "1"]));
    assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
    assert_eq!(ran.results()["done"].get("setup"), Some(&Value::Int(1)));
}

#[test]
fn a_sweep_is_resumed_from_anywhere_with_the_settings_and_options_it_began_with() {
    let stage = stage(&format!("echo '{{\"speed\": 2}}' > \"$4/x\"; {SCORES}"), "time: 7\n", 3);
    let mut command = begin(&stage);
    let first = ran(command.args(["--score", "said", "--workers", "2", "--json"]));
    assert_eq!(first.results()["score"].as_str(), Some("said"));
    std::fs::remove_file(stage.path("job.yaml")).unwrap();
    std::fs::remove_file(stage.path("out/results.jsonl")).unwrap();
    std::fs::remove_dir_all(stage.path("out/p1")).unwrap();
    let mut command = stage.sortie(["sweep", "--json", "--resume"]);
    let ran = ran(command.arg(stage.path("out")).current_dir("/"));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.results()["score"].as_str(), Some("said"));
    assert_eq!((results(&stage).len(), runs(&stage)["p0"], runs(&stage)["p1"]), (3, 1, 2));
    assert_eq!(results(&stage)["p1"]["candidate"].as_str(), Some("c/p1.py"));
}

/// Waits for a file to go on.
const WAITS: &str = r#": > "$4/ready"; while [ ! -e go ]; do sleep 0.02; done"#;

fn start(mut command: std::process::Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(tool: &Child, signal: Signal) {
    kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), signal).unwrap();
}

fn is_resumed(stage: &Stage, candidates: usize) {
    stage.write("go", "");
    let ran = ran(&mut resume(stage));
    assert_eq!(ran.status, Some(CORRECT.into()), "{ran:?}");
    assert_eq!((results(stage).len(), runs(stage).into_values().max()), (candidates, Some(1)));
}

#[test]
fn ctrl_c_lets_what_runs_come_to_its_end() {
    let stage = stage(&format!("{WAITS}\n{SCORES}"), "", 9);
    let tool = start(begin(&stage));
    eventually("four to run", || (0..4).all(|n| stage.path(format!("out/p{n}/ready")).exists()));
    send(&tool, Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(100));
    stage.write("go", "");
    let ran = ended(tool);
    stage.empties();
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert!(ran.stderr.contains("stopping when what runs has ended"), "{ran:?}");
    assert_eq!(results(&stage).len(), 4, "{ran:?}");
    assert!(ran.stdout.starts_with("4 of 9 candidates are done, 5 are not: 4 correct"), "{ran:?}");
    is_resumed(&stage, 9);
}

#[test]
fn ctrl_c_cancels_where_that_is_asked_for() {
    let stage = stage(&format!("{WAITS}\n{SCORES}"), "", 9);
    let mut command = begin(&stage);
    command.arg("--cancel-running");
    let tool = start(command);
    eventually("four to run", || (0..4).all(|n| stage.path(format!("out/p{n}/ready")).exists()));
    send(&tool, Signal::TERM);
    let ran = ended(tool);
    stage.empties();
    assert_eq!(ran.status, Some(128 + 15), "{ran:?}");
    assert_eq!(results(&stage).len(), 0);
    is_resumed(&stage, 9);
}

#[test]
fn a_second_ctrl_c_stops_now() {
    let stage =
        stage(&format!("trap '' TERM; {WAITS}\n{SCORES}"), "limits: {grace_seconds: 600}\n", 5);
    let tool = start(begin(&stage));
    eventually("four to run", || (0..4).all(|n| stage.path(format!("out/p{n}/ready")).exists()));
    send(&tool, Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(200));
    send(&tool, Signal::INT);
    let ran = ended(tool);
    stage.empties();
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert!(ran.stderr.ends_with("stopping now\n"), "{ran:?}");
    is_resumed(&stage, 5);
}

#[test]
fn the_second_of_two_is_refused_and_the_first_goes_on() {
    let stage = stage(&format!("{WAITS}\n{SCORES}"), "", 5);
    let tool = start(begin(&stage));
    stage.appears("out/p0/ready");
    let second = ran(&mut resume(&stage));
    second.is_error(SETUP, &format!("out is in use by `sortie sweep`, process {} on ", tool.id()));
    ran(&mut begin(&stage)).is_error(SETUP, "out holds a sweep already");
    stage.write("go", "");
    let first = ended(tool);
    assert_eq!(first.status, Some(CORRECT.into()), "{first:?}");
}

#[test]
fn lines_say_how_it_fares_where_nobody_sees_bars() {
    let stage = stage(&format!("sleep 0.4\n{SCORES}"), "", 12);
    let ran = ran(&mut begin(&stage));
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(!lines.is_empty() && lines.len() <= 10, "{ran:?}");
    let is_plain = |line: &&str| line.contains(" of 12 done, ") && line.contains("/s, 00:00:0");
    assert!(lines.iter().all(is_plain) && !ran.stderr.contains('\x1b'), "{ran:?}");
}

#[test]
fn a_warm_evaluator_is_kept_warm() {
    let stage = Stage::empty();
    let evaluator = r#"
import argparse, json, os

def main():
    parser = argparse.ArgumentParser()
    for name in ("--program_path", "--results_dir", "--seed"):
        parser.add_argument(name)
    args = parser.parse_args()
    with open(args.results_dir + "/metrics.json", "w") as file:
        json.dump({"combined_score": int(args.seed), "parent": os.getppid()}, file)
    with open(args.results_dir + "/correct.json", "w") as file:
        json.dump({"correct": True}, file)

if __name__ == "__main__":
    main()
"#;
    stage.write("evaluate.py", evaluator);
    stage.write("job.yaml", "job_type: local\nwarm: true\nextra_cmd_args: {seed: 0}\n");
    let line = |n| format!("{{\"candidate\": \"c{n}.py\", \"args\": {{\"seed\": {n}}}}}\n");
    stage.write("list.jsonl", (0..6).map(line).collect::<String>());
    for number in 0..6 {
        stage.write(format!("c{number}.py"), "");
    }
    let args = ["-v", "sweep", "--config", "job.yaml", "--out", "out", "list.jsonl", "--json"];
    let ran = ran(&mut stage.sortie(args));
    assert_eq!(ran.status, Some(CORRECT.into()), "{ran:?}");
    assert!(!ran.stderr.contains("not kept warm"), "{ran:?}");
    let best = ran.results()["best"].as_array().unwrap()[0].clone();
    assert_eq!(best.get("score").and_then(Value::as_f64), Some(5.0), "{ran:?}");
    assert_eq!(best.get("id").and_then(Value::as_str), Some("c5"));
}

#[test]
fn files_that_cannot_be_written_are_said_once() {
    let stage = stage(SCORES, "", 3);
    stage.write("file", "");
    let args = ["sweep", "--config", "job.yaml", "--out", "file/out", "c"];
    let ran = ran(&mut stage.sortie(args));
    ran.is_error(INFRASTRUCTURE, "cannot create ");
    assert_eq!(ExitStatusExt::signal(&stage.sortie(["--version"]).status().unwrap()), None);
}
