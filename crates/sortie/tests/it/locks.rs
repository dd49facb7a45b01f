//! A file system without locks, and owners that cannot be seen: one evaluator at a time, and the truth of it.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, SETUP};
use sortie_results::Object;

use crate::stage::{self, Ran, Stage, eventually, ran};

/// Runs a program for which flock(2) and the locks of fcntl(2) fail with the error of that number, as on Lustre without
/// `flock` (`ENOSYS`) and NFS without a lock daemon (`ENOLCK`).
const WITHOUT_LOCKS: &str = r"
import ctypes, os, platform, struct, sys
FLOCK, FCNTL = {'x86_64': (73, 72), 'aarch64': (32, 25)}[platform.machine()]
LOCKS = [5, 6, 7, 36, 37, 38]  # F_GETLK, F_SETLK, F_SETLKW; the same of open file descriptions
LOAD, EQUAL, RETURN, ALLOW = 0x20, 0x15, 0x06, 0x7fff0000
n = len(LOCKS)
program = [(LOAD, 0, 0, 0), (EQUAL, n + 3, 0, FLOCK), (EQUAL, 0, n + 1, FCNTL), (LOAD, 0, 0, 24)]
program += [(EQUAL, n - 1 - at + 1, 0, lock) for at, lock in enumerate(LOCKS)]
program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, 0x50000 | int(sys.argv[1]))]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in program))
class Program(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
for call in [(38, 1, 0, 0, 0), (22, 2, ctypes.byref(Program(len(program), ctypes.addressof(code))), 0, 0)]:
    if libc.prctl(*call) != 0:
        sys.exit(f'prctl {call[0]}: {os.strerror(ctypes.get_errno())}')
os.execv(sys.argv[2], sys.argv[2:])
";

/// Waits for the test's word, notes that it was there, and is correct.
const PATIENT: &str = r#"
echo begun >> begun
: > "$4/ready"
while [ ! -e go ]; do sleep 0.02; done
"#;

const ENOSYS: i32 = 38;
const ENOLCK: i32 = 37;

struct Place {
    stage: Stage,
    error: i32,
}

impl Place {
    fn new(error: i32) -> Self {
        let stage = Stage::shell(&format!("{PATIENT}{}", stage::CORRECT), "time: 60\n");
        Self { stage, error }
    }

    fn sortie<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = self.stage.command("python3");
        command.args(["-c", WITHOUT_LOCKS, &self.error.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_sortie")).args(args);
        command
    }

    fn tool<const N: usize>(&self, args: [&str; N]) -> Ran {
        ran(&mut self.sortie(args))
    }

    fn submit(&self) {
        let submitted = self.tool(["submit", "--config", "job.yaml", "candidate.py", "results"]);
        assert_eq!((submitted.status, submitted.stderr.as_str()), (Some(0), ""), "{submitted:?}");
        self.stage.appears("results/ready");
    }

    fn status(&self) -> Object {
        let status = self.tool(["status", "--json", "results"]);
        assert_eq!((status.status, status.stderr.as_str()), (Some(0), ""), "{status:?}");
        status.results()
    }

    fn state(&self) -> String {
        self.status()["state"].as_str().unwrap().to_owned()
    }

    fn begun(&self) -> usize {
        self.stage.read("begun").lines().count()
    }

    /// As though the owner of a lease were a process of another machine.
    fn move_elsewhere(&self, lease: &str) {
        let mut said: serde_json::Value = serde_json::from_str(&self.stage.read(lease)).unwrap();
        for member in ["host", "machine", "boot"] {
            said[member] = "far".into();
        }
        self.stage.write(lease, said.to_string());
    }
}

#[test]
fn the_filter_is_what_it_says() {
    for error in [ENOSYS, ENOLCK] {
        let place = Place::new(error);
        let locks = "import fcntl, sys
for lock in (fcntl.flock, fcntl.lockf):
    try:
        lock(open(sys.argv[0] if sys.argv[0] != '-c' else '/dev/null', 'w'), fcntl.LOCK_EX)
    except OSError as error:
        print(error.errno)";
        let python =
            ran(place.stage.command("python3").args(["-c", "import sys; print(sys.executable)"]));
        let mut command = place.stage.command("python3");
        command.args(["-c", WITHOUT_LOCKS, &error.to_string(), python.stdout.trim(), "-c", locks]);
        let told = ran(&mut command);
        assert_eq!(told.stdout, format!("{error}\n{error}\n"), "{told:?}");
    }
}

#[test]
fn a_job_is_submitted_watched_and_cancelled() {
    for error in [ENOSYS, ENOLCK] {
        let place = Place::new(error);
        place.submit();
        assert_eq!(place.state(), "running");
        let second = place.tool(["submit", "--config", "job.yaml", "candidate.py", "results"]);
        second.is_error(SETUP, "results is in use by `sortie submit`, process ");
        let run = place.tool(["run", "--config", "job.yaml", "candidate.py", "results"]);
        run.is_error(SETUP, "results is in use by `sortie submit`, process ");
        assert_eq!(place.begun(), 1);
        let cancelled = place.tool(["cancel", "--now", "results"]);
        assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
        place.stage.empties();
        assert_eq!(place.state(), "finished");
    }
}

#[test]
fn a_job_is_waited_for() {
    let place = Place::new(ENOSYS);
    place.submit();
    place.stage.write("go", "");
    let waited = place.tool(["wait", "results"]);
    assert_eq!((waited.status, waited.stderr.as_str()), (Some(CORRECT.into()), ""), "{waited:?}");
    place.stage.empties();
}

#[test]
fn what_a_killed_launcher_had_is_taken_over() {
    for error in [ENOSYS, ENOLCK] {
        let place = Place::new(error);
        place.submit();
        let pid = crate::owner::pid(&place.status());
        kill_process(pid, Signal::KILL).unwrap();
        eventually("the job to be lost", || place.state() == "lost");
        assert_eq!(place.tool(["wait", "results"]).status, Some(3));
        place.stage.write("go", "");
        let again = place.tool(["run", "--config", "job.yaml", "candidate.py", "results"]);
        assert_eq!(again.status, Some(CORRECT.into()), "{again:?}");
        assert_eq!(place.begun(), 2);
        place.stage.empties();
    }
}

#[test]
fn what_cannot_be_seen_is_taken_by_consent_alone() {
    let place = Place::new(ENOSYS);
    place.submit();
    let pid = crate::owner::pid(&place.status());
    kill_process(pid, Signal::KILL).unwrap();
    eventually("the job to be lost", || place.state() == "lost");
    for lease in [".sortie/results/keeper.lease", ".sortie/results/lease"] {
        place.move_elsewhere(lease);
    }
    assert_eq!(place.state(), "unknown");
    let line = place.tool(["status", "results"]).stdout;
    let who = format!("`sortie submit`, process {} on far", pid.as_raw_nonzero());
    assert!(line.starts_with("unknown ") && line.contains(&who), "{line}");
    let cancelled = place.tool(["cancel", "results"]);
    let unknown = "; whether that still runs cannot be told from here";
    cancelled.is_error(SETUP, &format!("results is in use by {who} since "));
    assert!(cancelled.stderr.contains(unknown), "{cancelled:?}");
    place.stage.write("go", "");
    let run = ["run", "--config", "job.yaml", "candidate.py", "results"];
    let refused = place.tool(run);
    refused.is_error(SETUP, &format!("results is in use by {who} since "));
    assert!(refused.stderr.contains(unknown), "{refused:?}");
    assert_eq!(place.begun(), 1);
    let [_, rest @ ..] = run;
    let mut taken = place.sortie(["run", "--take-over"]);
    let taken = ran(taken.args(rest));
    assert_eq!(taken.status, Some(CORRECT.into()), "{taken:?}");
    assert_eq!((place.begun(), place.state()), (2, "finished".to_owned()));
    place.stage.empties();
}

#[test]
fn a_job_that_cannot_be_seen_is_given_up_by_consent() {
    let place = Place::new(ENOLCK);
    place.submit();
    kill_process(crate::owner::pid(&place.status()), Signal::KILL).unwrap();
    eventually("the job to be lost", || place.state() == "lost");
    place.move_elsewhere(".sortie/results/lease");
    assert_eq!(place.state(), "unknown");
    assert_eq!(place.tool(["cancel", "results"]).status, Some(SETUP.into()));
    let cancelled = place.tool(["cancel", "--take-over", "results"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    assert_eq!(place.state(), "lost");
}

#[test]
fn a_sweep_is_made_kept_from_others_and_taken_over() {
    for error in [ENOSYS, ENOLCK] {
        let place = Place::new(error);
        place.stage.write("c/a.py", "");
        let begin = ["sweep", "--config", "job.yaml", "--out", "out", "c"];
        let first = place.sortie(begin).spawn().unwrap();
        place.stage.appears("out/a/ready");
        let resume = place.tool(["sweep", "--resume", "out"]);
        resume.is_error(SETUP, "out is in use by `sortie sweep`, process ");
        kill_process(Pid::from_child(&first), Signal::KILL).unwrap();
        drop(stage::ended(first));
        place.move_elsewhere("out/lock");
        let resume = place.tool(["sweep", "--resume", "out"]);
        resume.is_error(SETUP, " on far since ");
        let status = place.tool(["status", "out"]).stdout;
        assert!(status.starts_with("unknown "), "{status}");
        assert_eq!(place.begun(), 1);
        place.stage.write("go", "");
        let taken = place.tool(["sweep", "--resume", "out", "--take-over"]);
        assert_eq!(taken.status, Some(CORRECT.into()), "{taken:?}");
        assert_eq!(place.begun(), 2);
        assert!(!place.stage.path("out/lock").exists());
        place.stage.empties();
    }
}
