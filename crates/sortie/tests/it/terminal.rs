//! On a terminal: a line that says what is going on, and results that people can read.

use crate::stage::{self, Ran, Stage, ran};

const TERMINAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py");

/// Runs the tool on a terminal; Ctrl-C is typed once that file is there.
pub(crate) fn on_terminal(stage: &Stage, awaited: &str, args: &[&str]) -> Ran {
    let mut command = stage.command("python3");
    command.args([TERMINAL, awaited, env!("CARGO_BIN_EXE_sortie")]).args(args);
    ran(command.env("TERM", "xterm"))
}

const RUN: [&str; 5] = ["run", "--config", "job.yaml", "candidate.py", "results"];

#[test]
fn ctrl_c_as_typed() {
    let evaluator = r#"trap '' TERM; : > "$4/ready"; sleep 600"#;
    let stage = Stage::shell(evaluator, "time: 90\nlimits: {grace_seconds: 0.3}\n");
    let ran = on_terminal(&stage, "results/ready", &RUN);
    stage.is_empty();
    assert_eq!(ran.status, Some(130), "{ran:?}");
    for shown in [
        "candidate.py: running, 00:00:00 of 5400 s",
        "candidate.py: stopping (Ctrl-C again kills)",
        "{\r\n  \"correct\": false,\r\n",
        "\"kind\": \"cancelled\"",
    ] {
        assert!(ran.stdout.contains(shown), "{shown}: {ran:?}");
    }
}

#[test]
fn the_line_is_gone_when_the_results_are_there() {
    let stage = Stage::shell(stage::CORRECT, "");
    let ran = on_terminal(&stage, "", &RUN);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let (_, results) = ran.stdout.rsplit_once("{\r\n  \"correct\": true").unwrap();
    assert!(!results.contains('\x1b'), "{ran:?}");
}

#[test]
fn nothing_but_tracing_where_there_is_tracing() {
    let stage = Stage::shell(stage::CORRECT, "");
    let ran = on_terminal(&stage, "", &[&["-v"], &RUN[..]].concat());
    assert!(ran.stdout.contains("started") && !ran.stdout.contains("candidate.py: "), "{ran:?}");
}

#[test]
fn findings_have_colours() {
    let stage = Stage::shell("", "");
    let ran = on_terminal(&stage, "", &["check", "--config", "job.yaml"]);
    assert!(ran.stdout.contains("\x1b[32mok"), "{ran:?}");
}
