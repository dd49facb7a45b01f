//! The lock by which a process is found, held by processes of other programs.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sortie_process::{Held, Hold};

/// Takes the lock of the file it is told, says so, and has a child that outlives it. Its own arguments decide what it does
/// on SIGTERM.
const HOLDER: &str = "
import fcntl, os, signal, sys
if sys.argv[2:] == ['stubborn']:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = open(sys.argv[1], 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print('held', flush=True)
signal.pause()
";

const LONG: Duration = Duration::from_secs(60);

struct Holder(Child);

impl Holder {
    fn new(path: &std::path::Path, args: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a bystander of the crate")]
        let mut python = Command::new("python3");
        python.args(["-c", HOLDER]).arg(path).args(args);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }
}

#[test]
fn the_holder_is_found_asked_and_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let mut child = Holder::new(&path, &[]).0;
    let file = File::options().write(true).open(&path).unwrap();
    let Held::By(holder) = Held::of(&file).unwrap() else { panic!("it is not found") };
    assert_eq!(holder.pid().cast_unsigned(), child.id());
    assert!(Hold::take(file.try_clone().unwrap()).unwrap().is_none());
    assert!(!holder.ends_within(Duration::from_millis(20)).unwrap());
    assert!(holder.ask_to_end().unwrap());
    assert!(holder.ends_within(LONG).unwrap());
    // Its child is there, and has no lock.
    assert!(matches!(Held::of(&file).unwrap(), Held::Free));
    child.wait().unwrap();
    assert!(!holder.ask_to_end().unwrap(), "nobody is there to be asked");
    assert!(holder.ends_within(LONG).unwrap());
    assert!(Hold::take(file).unwrap().is_some());
}

#[test]
fn a_killed_holder_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let mut child = Holder::new(&path, &["stubborn"]).0;
    let file = File::open(&path).unwrap();
    let Held::By(holder) = Held::of(&file).unwrap() else { panic!("it is not found") };
    assert!(holder.ask_to_end().unwrap());
    assert!(!holder.ends_within(Duration::from_millis(20)).unwrap());
    child.kill().unwrap();
    assert!(holder.ends_within(LONG).unwrap());
    assert!(matches!(Held::of(&file).unwrap(), Held::Free));
    child.wait().unwrap();
}
