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
        "{\r\n  \"version\": 1,\r\n  \"correct\": false,\r\n",
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
    let (_, results) =
        ran.stdout.rsplit_once("{\r\n  \"version\": 1,\r\n  \"correct\": true").unwrap();
    assert!(!results.contains('\x1b'), "{ran:?}");
}

#[test]
fn nothing_but_tracing_where_there_is_tracing() {
    let stage = Stage::shell(stage::CORRECT, "");
    let ran = on_terminal(&stage, "", &[&["-v"], &RUN[..]].concat());
    assert!(ran.stdout.contains("started") && !ran.stdout.contains("candidate.py: "), "{ran:?}");
}

#[test]
fn bars_of_a_sweep_are_gone_when_the_summary_is_there() {
    let evaluator = format!("sleep 0.3; {}", stage::CORRECT);
    let stage = Stage::shell(&evaluator, "");
    for number in 0..6 {
        stage.write(format!("c/p{number}.py"), "");
    }
    let sweep = ["sweep", "--config", "job.yaml", "--out", "out", "c"];
    let ran = on_terminal(&stage, "", &sweep);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for shown in ["[", "] 0/6 4 running, 2 queued, 0 waiting", "/6 ", "; best 1.5 (p"] {
        assert!(ran.stdout.contains(shown), "{shown}: {ran:?}");
    }
    let (_, summary) = ran.stdout.rsplit_once("all 6 candidates are done").unwrap();
    assert!(!summary.contains('\x1b') && summary.contains("best by combined_score:"), "{ran:?}");
}

#[test]
fn tracing_and_the_bars_of_a_sweep_are_not_garbled() {
    let evaluator = format!("sleep 0.2; {}", stage::CORRECT);
    let stage = Stage::shell(&evaluator, "");
    for number in 0..6 {
        stage.write(format!("c/p{number}.py"), "");
    }
    let sweep = ["-v", "sweep", "--config", "job.yaml", "--out", "out", "c"];
    let ran = on_terminal(&stage, "", &sweep);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // Each line of tracing is one line, that nothing stands before but what was there and is cleared.
    let plain = strip_escapes(&ran.stdout);
    let traced: Vec<_> = plain.lines().filter(|line| line.contains("INFO")).collect();
    assert_eq!(traced.len(), 12, "{ran:?}");
    let shown = |line: &str| line.trim_end().rsplit('\r').next().map(str::to_owned);
    let is_whole = |line: &&str| shown(line).is_some_and(|line| line.starts_with("20"));
    assert!(traced.iter().all(is_whole), "{traced:#?}");
    assert!(plain.contains("] 0/6 "), "{ran:?}");
}

#[test]
fn ctrl_c_stops_a_sweep() {
    let stage = Stage::shell(": > \"$4/ready\"; while [ ! -e go ]; do sleep 0.02; done", "");
    for number in 0..6 {
        stage.write(format!("c/p{number}.py"), "");
    }
    let sweep = ["sweep", "--config", "job.yaml", "--out", "out", "--cancel-running", "c"];
    let ran = on_terminal(&stage, "out/p3/ready", &sweep);
    stage.is_empty();
    assert_eq!(ran.status, Some(130), "{ran:?}");
    assert!(ran.stdout.contains("cancelling what runs (Ctrl-C again stops now)"), "{ran:?}");
    assert!(ran.stdout.contains("0 of 6 candidates are done, 6 are not"), "{ran:?}");
}

/// Without what moves the cursor or clears a line.
fn strip_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain += before;
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        rest = &after[end..];
    }
    plain + rest
}

#[test]
fn findings_have_colours() {
    let stage = Stage::shell("", "");
    let ran = on_terminal(&stage, "", &["check", "--config", "job.yaml"]);
    assert!(ran.stdout.contains("\x1b[32mok"), "{ran:?}");
}
