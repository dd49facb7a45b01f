//! `sortie logs`: byte for byte, as they grow, and no further than somebody reads.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use crate::stage::{self, Stage, ended, ran};
use crate::terminal::on_terminal;
use sortie::exit_status::{CORRECT, SETUP, of_signal};

/// Writes a line to each log at a word of the test.
const STEPS: &str = r#"
for step in 1 2 3; do
    while [ ! -e "$4/step$step" ]; do sleep 0.02; done
    echo "out $step"; echo "err $step" >&2
done"#;

fn submitted(evaluator: &str) -> Stage {
    let stage = Stage::shell(evaluator, "time: 5\n");
    let args = ["submit", "-c", "job.yaml", "candidate.py", "results"];
    let submitted = ran(&mut stage.sortie(args));
    assert_eq!(submitted.status, Some(0), "{submitted:?}");
    stage
}

fn finished(evaluator: &str) -> Stage {
    let stage = submitted(evaluator);
    ran(&mut stage.sortie(["wait", "results"]));
    stage
}

fn follow(stage: &Stage, args: &[&str]) -> Child {
    let mut command = stage.sortie([&["logs", "-f", "results"], args].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn followed_to_the_end() {
    let stage = submitted(STEPS);
    let mut followers = [follow(&stage, &[]), follow(&stage, &["--stderr"])];
    let mut readers: Vec<_> =
        followers.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    for step in 1..=3 {
        stage.write(format!("results/step{step}"), "");
        for (reader, name) in readers.iter_mut().zip(["out", "err"]) {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line, format!("{name} {step}\n"));
        }
    }
    let [both, stderr] = followers.map(ended);
    assert_eq!(
        (both.status, both.stderr.as_str()),
        (Some(CORRECT.into()), "err 1\nerr 2\nerr 3\n")
    );
    assert_eq!((stderr.status, stderr.stderr.as_str()), (Some(CORRECT.into()), ""));
    stage.empties();
}

#[test]
fn bytes_pass_as_they_are() {
    let stage = finished(r"printf 'a\0b\377\033[31m\r\nno end'");
    let logs = stage.sortie(["logs", "results"]).output().unwrap();
    assert_eq!(logs.stdout, b"a\0b\xff\x1b[31m\r\nno end");
    let json = ran(&mut stage.sortie(["logs", "--json", "results"]));
    let expected = [r"a\u0000b\ufffd\u001b[31m\r", "no end"]
        .map(|line| format!(r#"{{"version":1,"stream":"stdout","line":"{line}"}}"#));
    assert_eq!(json.stdout.replace('\u{fffd}', r"\ufffd").lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_terminal_takes_no_commands_from_them() {
    let stage = finished(r"printf '\033]0;title\007naïve\n'");
    let shown = on_terminal(&stage, "", &["logs", "results"]);
    assert_eq!((shown.status, shown.stdout.as_str()), (Some(0), "\\u{1b}]0;title\\u{7}naïve\r\n"));
    let raw = on_terminal(&stage, "", &["logs", "--raw", "results"]);
    assert_eq!(raw.stdout, "\x1b]0;title\x07naïve\r\n");
}

#[test]
fn the_last_lines() {
    let stage = finished("seq 1000; echo a >&2");
    let tail = ran(&mut stage.sortie(["logs", "-n", "2", "results"]));
    assert_eq!((tail.stdout.as_str(), tail.stderr.as_str()), ("999\n1000\n", "a\n"));
    let of_one = ran(&mut stage.sortie(["logs", "-n", "1", "--stdout", "results"]));
    assert_eq!((of_one.stdout.as_str(), of_one.stderr.as_str()), ("1000\n", ""));
}

#[test]
fn a_reader_that_leaves_ends_it_in_silence() {
    let stage = submitted(&format!("yes | head -n 100000; {STEPS}"));
    for args in [&["-f"][..], &[]] {
        let mut logs = stage.sortie([&["logs", "results"], args].concat());
        let mut logs = logs.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = logs.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        let logs = ended(logs);
        assert_eq!((logs.status, logs.stderr.as_str()), (Some(of_signal(13).into()), ""));
    }
    // Even while nothing is written.
    let mut logs = follow(&stage, &["-n", "1"]);
    let mut stdout = logs.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 2]).unwrap();
    drop(stdout);
    assert_eq!(ended(logs).status, Some(of_signal(13).into()));
    ran(&mut stage.sortie(["cancel", "--now", "results"]));
    stage.empties();
}

#[test]
fn what_is_no_log_is_not_waited_for() {
    let stage =
        finished(&format!("{}rm \"$4/job_log.out\"; mkfifo \"$4/job_log.out\"", stage::CORRECT));
    let logs = ran(&mut stage.sortie(["logs", "-f", "results"]));
    logs.is_error(SETUP, "results: the log of stdout is a FIFO, not a regular file");
}
