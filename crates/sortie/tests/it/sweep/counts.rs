//! How many candidates are left: the sweep itself, `status` and the report say the same.

use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie_results::{Object, Value};

use super::{SCORES, begin, stage};
use crate::stage::{Stage, ended, eventually, ran};

const WAITS: &str = r#": > "$4/ready"; while [ ! -e go ]; do sleep 0.02; done"#;
const CANDIDATES: i64 = 40;

fn begun(stage: &Stage) -> Child {
    let mut command = begin(stage);
    command.args(["--json", "--workers", "2"]);
    let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("two to run", || (0..2).all(|n| stage.path(format!("out/p{n}/ready")).exists()));
    tool
}

fn send(tool: &Child, signal: Signal) {
    kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), signal).unwrap();
}

/// How many wait, and how many were handed over and are not done.
fn status(stage: &Stage) -> (i64, i64) {
    let status = ran(&mut stage.sortie(["status", "--json", "out"])).results();
    (count(&status, "waiting"), count(&status, "started"))
}

fn count(form: &Object, name: &str) -> i64 {
    match form[name] {
        Value::Int(count) => count,
        ref other => panic!("{name} is {other:?}"),
    }
}

/// The tile of the report that says how many are to come.
fn to_come(stage: &Stage) -> String {
    let page = ran(&mut stage.sortie(["report", "out", "--out", "-"])).stdout;
    let tile = page.split("Still to come</dt>").nth(1).unwrap_or_else(|| panic!("none is to come"));
    let tile = tile.split("</div>").next().unwrap();
    tile.split(['<', '>'])
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn after_a_signal_all_that_is_left_waits() {
    for signal in [Signal::TERM, Signal::KILL] {
        let stage = stage(&format!("{WAITS}\n{SCORES}"), "", 40);
        let tool = begun(&stage);
        send(&tool, signal);
        let swept = ended(tool);
        stage.empties();
        if signal == Signal::TERM {
            assert_eq!(count(&swept.results(), "waiting"), CANDIDATES, "{swept:?}");
        }
        assert_eq!(status(&stage), (CANDIDATES, 0), "{signal:?}");
        assert_eq!(to_come(&stage), "40, 0 of them handed over", "{signal:?}");
    }
}

#[test]
fn while_it_runs_status_and_report_agree() {
    let stage = stage(&format!("{WAITS}\n{SCORES}"), "", 40);
    let tool = begun(&stage);
    let (waiting, started) = status(&stage);
    assert_eq!(waiting + started, CANDIDATES);
    assert!(started >= 2, "{started}");
    assert_eq!(to_come(&stage), format!("40, {started} of them handed over"));
    send(&tool, Signal::TERM);
    ended(tool);
}
