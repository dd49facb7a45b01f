//! Processes of other programs, found by their number and start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sortie_process::Holder;

/// Says that it is there, and waits. Its arguments decide what it does on SIGTERM.
const OTHER: &str = "
import signal, sys
if sys.argv[1:] == ['stubborn']:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('there', flush=True)
signal.pause()
";

const LONG: Duration = Duration::from_secs(60);

fn start(args: &[&str]) -> Child {
    #[expect(clippy::disallowed_methods, reason = "a bystander of the crate")]
    let mut python = Command::new("python3");
    let mut child = python.args(["-c", OTHER]).args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "there\n");
    child
}

fn find(child: &Child) -> Option<Holder> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let started = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap();
    Holder::find(child.id(), started.parse().unwrap()).unwrap()
}

#[test]
fn it_is_asked_and_waited_for() {
    let mut child = start(&[]);
    let holder = find(&child).unwrap();
    assert!(!holder.ends_within(Duration::from_millis(20)).unwrap());
    assert!(holder.ask_to_end().unwrap());
    assert!(holder.ends_within(LONG).unwrap());
    child.wait().unwrap();
    assert!(!holder.ask_to_end().unwrap(), "nobody is there to be asked");
    assert!(holder.ends_within(LONG).unwrap());
}

#[test]
fn one_that_does_not_end_is_still_there() {
    let mut child = start(&["stubborn"]);
    let holder = find(&child).unwrap();
    assert!(holder.ask_to_end().unwrap());
    assert!(!holder.ends_within(Duration::from_millis(20)).unwrap());
    child.kill().unwrap();
    assert!(holder.ends_within(LONG).unwrap());
    child.wait().unwrap();
}
