//! Jobs without a terminal, and commands that find them by their results dirs.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, INFRASTRUCTURE, INTERRUPTED, NOT_CORRECT, SETUP};
use sortie_results::{Object, Outcome, Record, Value};

use crate::signals::STUBBORN;
use crate::stage::{self, Ran, Stage, ended, eventually, ran};
use crate::terminal::on_terminal;

/// Waits for the test's word, and is correct.
const PATIENT: &str = r#"
: > "$4/ready"
while [ ! -e "$4/go" ]; do sleep 0.02; done
echo '{"combined_score": 1.5}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

const SUBMIT: [&str; 5] = ["submit", "--config", "job.yaml", "candidate.py", "results"];

fn patient() -> Stage {
    Stage::shell(PATIENT, "time: 5\n")
}

/// Submits the job, which has to be accepted.
fn submit(stage: &Stage) {
    let submitted = ran(&mut stage.sortie(SUBMIT));
    assert_eq!((submitted.status, submitted.stderr.as_str()), (Some(0), ""), "{submitted:?}");
    stage.appears("results/ready");
}

fn tool<const N: usize>(stage: &Stage, args: [&str; N]) -> Ran {
    ran(&mut stage.sortie(args))
}

/// What `status --json` says of the results dir.
fn status(stage: &Stage) -> Object {
    let ran = tool(stage, ["status", "--json", "results"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.results()
}

fn state(stage: &Stage) -> String {
    status(stage)["state"].as_str().unwrap().to_owned()
}

fn owner(stage: &Stage) -> Pid {
    pid(&status(stage))
}

/// The process that is said to see to a job or sweep.
pub(crate) fn pid(status: &Object) -> Pid {
    match status["keeper"].get("pid") {
        Some(Value::Int(pid)) => Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap(),
        other => panic!("no process: {other:?}"),
    }
}

fn outcome(stage: &Stage) -> Outcome {
    Record::read(&stage.path("results")).unwrap().outcome
}

#[test]
fn a_job_goes_on_when_the_terminal_is_closed() {
    let stage = patient();
    let submitted = on_terminal(&stage, "", &SUBMIT);
    assert_eq!(submitted.status, Some(0), "{submitted:?}");
    assert!(submitted.stdout.contains("running"), "{submitted:?}");
    stage.appears("results/ready");
    let pid = owner(&stage);
    // No session, terminal or hang-up of the one that started it.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    let (_, stat) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<_> = stat.split(' ').collect();
    let (session, terminal) = (fields[3], fields[4]);
    assert_eq!((session, terminal), (pid.as_raw_nonzero().to_string().as_str(), "0"));
    kill_process(pid, Signal::HUP).unwrap();

    assert_eq!(state(&stage), "running");
    let wait = stage.sortie(["wait", "results"]).stdout(Stdio::piped()).spawn().unwrap();
    stage.write("results/go", "");
    let waited = ended(wait);
    assert_eq!(waited.status, Some(CORRECT.into()), "{waited:?}");
    assert!(waited.stdout.starts_with("finished  results  correct, score 1.5 ("), "{waited:?}");
    stage.empties();
}

#[test]
fn nothing_that_the_starter_had_open_is_kept_open() {
    let stage = patient();
    // Were the pipe kept, this would not end before the job.
    let shell = r#"exec 5>&1; "$0" "$@""#;
    let submitted =
        ran(stage.command("sh").args(["-c", shell, env!("CARGO_BIN_EXE_sortie")]).args(SUBMIT));
    assert_eq!(submitted.status, Some(0), "{submitted:?}");
    stage.appears("results/ready");
    assert_eq!(state(&stage), "running");
    stage.write("results/go", "");
    stage.empties();
}

#[test]
fn what_is_known_of_a_job_as_it_goes() {
    let stage = patient();
    let submitted = ran(stage.sortie(SUBMIT).arg("--json"));
    let members: Vec<_> = submitted.results().keys().cloned().collect();
    let expected = "version kind dir state reason since candidate attempt correct score outcome fault detail seconds \
                    keeper slurm advice";
    assert_eq!(members.join(" "), expected);
    stage.appears("results/ready");
    let running = status(&stage);
    assert_eq!(running["version"].as_f64(), Some(1.0));
    assert_eq!(running["kind"].as_str(), Some("job"));
    assert_eq!(running["dir"].as_str(), Some("results"));
    assert_eq!(running["candidate"].as_str(), Some("candidate.py"));
    assert_eq!(running["keeper"].get("command").and_then(Value::as_str), Some("submit"));
    assert_eq!(running["outcome"], Value::Null);
    for unfinished in [tool(&stage, ["results", "results"]), ran(&mut stage.sortie(SUBMIT))] {
        assert_eq!((unfinished.status, unfinished.stdout.as_str()), (Some(SETUP.into()), ""));
    }
    tool(&stage, ["results", "results"]).is_error(SETUP, "the job is not over");
    ran(&mut stage.sortie(SUBMIT)).is_error(SETUP, "is in use by `sortie submit`, process ");
    ran(&mut stage.run_command()).is_error(SETUP, "is in use by `sortie submit`, process ");

    stage.write("results/go", "");
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(0));
    let finished = status(&stage);
    assert_eq!(finished["state"].as_str(), Some("finished"));
    assert_eq!(finished["score"].as_f64(), Some(1.5));
    assert_eq!((&finished["correct"], &finished["keeper"]), (&Value::Bool(true), &Value::Null));
    let results = tool(&stage, ["results", "results"]);
    assert_eq!(results.status, Some(0), "{results:?}");
    assert_eq!(results.results()["attempt"], finished["attempt"]);
    // As `sortie run` prints it, member for member.
    fs::remove_file(stage.path("results/ready")).unwrap();
    let run = stage.run();
    let members = |ran: &Ran| ran.results().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&results), members(&run));
    let again = tool(&stage, ["results", "results"]);
    assert_eq!(again.stdout, run.stdout);
}

#[test]
fn waiters_end_as_the_job_did() {
    let stage = Stage::shell(&format!("{PATIENT} exit 3"), "");
    submit(&stage);
    let wait =
        || stage.sortie(["wait", "--json", "results"]).stdout(Stdio::piped()).spawn().unwrap();
    let waiters = [wait(), wait()];
    stage.write("results/go", "");
    for waiter in waiters {
        let waited = ended(waiter);
        assert_eq!(waited.status, Some(NOT_CORRECT.into()), "{waited:?}");
        assert_eq!(waited.results()["detail"].as_str(), Some("exit code 3"));
    }
    // One after another, with the largest status.
    let both = tool(&stage, ["wait", "results", "none"]);
    assert_eq!((both.status, both.stdout.lines().count()), (Some(SETUP.into()), 1), "{both:?}");
    both.says_error("cannot open the results dir none");
}

#[test]
fn what_is_not_accepted_is_told_as_by_run() {
    let stage = patient();
    fs::remove_file(stage.path("candidate.py")).unwrap();
    ran(&mut stage.sortie(SUBMIT)).is_error(SETUP, "the candidate candidate.py cannot be read");
    stage.write("candidate.py", "");
    stage.write("job.yaml", "job_type: local\ntmie: 30\n");
    ran(&mut stage.sortie(SUBMIT)).is_error(SETUP, "job.yaml:2:1: unknown field `tmie`");
    stage.write("job.yaml", format!("{}time: -1\n", stage::SHELL));
    let invalid = ran(&mut stage.sortie(SUBMIT));
    assert_eq!((invalid.status, invalid.stdout.as_str()), (Some(SETUP.into()), ""), "{invalid:?}");
    stage.write("job.yaml", stage::SHELL);
    let args = ["submit", "-c", "job.yaml", "candidate.py", "candidate.py/below"];
    ran(&mut stage.sortie(args)).is_error(SETUP, "candidate.py/below");
    stage.empties();
    assert!(!stage.path("results/ready").exists());
}

#[test]
fn a_job_whose_submission_nobody_saw_is_given_up() {
    let stage = patient();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let settings = stage.read("job.yaml").replace('\n', "\\n");
    writeln!(ours, "\"{settings}\"").unwrap();
    drop(ours);
    let mut owner = stage.sortie(["--detached"]);
    let owner = owner.args(SUBMIT).stdin(OwnedFd::from(theirs)).spawn().unwrap();
    assert_eq!(ended(owner).status, Some(INTERRUPTED.into()));
    assert_eq!(outcome(&stage), Outcome::Cancelled);
    stage.is_empty();
    // Nor is one begun of which it was not said with which settings.
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    write!(ours, "\"job_type: local").unwrap();
    drop(ours);
    let mut owner = stage.sortie(["--detached"]);
    let owner = owner.args(SUBMIT).stdin(OwnedFd::from(theirs)).spawn().unwrap();
    assert_eq!(ended(owner).status, Some(INFRASTRUCTURE.into()));
    // And the flag is for the tool to pass.
    let by_hand = ran(stage.sortie(["--detached"]).args(SUBMIT));
    by_hand.is_error(INFRASTRUCTURE, "was not started to go on by itself");
}

#[test]
fn settings_that_can_be_read_only_once() {
    let stage = Stage::shell(stage::CORRECT, "");
    let mut submit = stage.sortie(["submit", "-c", "/dev/stdin", "candidate.py", "results"]);
    let mut submit = submit.stdin(Stdio::piped()).spawn().unwrap();
    submit.stdin.take().unwrap().write_all(stage.read("job.yaml").as_bytes()).unwrap();
    assert_eq!(ended(submit).status, Some(CORRECT.into()));
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(CORRECT.into()));
}

#[test]
fn cancelled_from_elsewhere() {
    let stage = Stage::shell(STUBBORN, "time: 5\nlimits: {grace_seconds: 0.3}\n");
    submit(&stage);
    let cancelled = tool(&stage, ["cancel", "results"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    assert!(cancelled.stdout.starts_with("finished  results  cancelled ("), "{cancelled:?}");
    assert_eq!(outcome(&stage), Outcome::Cancelled);
    stage.empties();
    // A second time there is nothing to do.
    assert_eq!(tool(&stage, ["cancel", "--now", "results"]).stdout, cancelled.stdout);
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(INTERRUPTED.into()));
}

#[test]
fn asked_twice_it_still_has_its_grace_period_and_now_takes_that() {
    let stage = Stage::shell(STUBBORN, "time: 5\nlimits: {grace_seconds: 600}\n");
    submit(&stage);
    for _ in 0..2 {
        let cancelled = tool(&stage, ["cancel", "--timeout", "1", "results"]);
        cancelled
            .is_error(INFRASTRUCTURE, "not over after 1 s; it is being stopped by `sortie submit`");
        assert!(
            cancelled.stderr.contains("waiting for `sortie submit`, process "),
            "{cancelled:?}"
        );
        assert_eq!(state(&stage), "stopping");
    }
    let cancelled = tool(&stage, ["cancel", "--now", "results"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    assert_eq!(outcome(&stage), Outcome::Cancelled);
    stage.empties();
}

#[test]
fn at_once_from_the_start_and_of_a_run_on_another_terminal() {
    let stage = Stage::shell(STUBBORN, "time: 5\nlimits: {grace_seconds: 600}\n");
    let run = stage.start();
    stage.appears("results/ready");
    assert_eq!(status(&stage)["keeper"].get("command").and_then(Value::as_str), Some("run"));
    let cancelled = tool(&stage, ["cancel", "--now", "--json", "results"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    let outcome = &cancelled.results()["outcome"];
    assert_eq!(outcome.get("kind").and_then(Value::as_str), Some("cancelled"));
    let run = ended(run);
    assert_eq!((run.status, run.verdict().0), (Some(143), "cancelled".to_owned()), "{run:?}");
    stage.empties();
}

#[test]
fn a_killed_owner_takes_the_job_with_it_and_is_known_to_be_gone() {
    let stage = Stage::shell(&format!("echo begun; {STUBBORN}"), "time: 5\n");
    submit(&stage);
    assert!(stage.processes().len() > 3, "the test does not see the processes");
    let wait = stage.sortie(["wait", "results"]).stdout(Stdio::piped()).spawn().unwrap();
    kill_process(owner(&stage), Signal::KILL).unwrap();
    let waited = ended(wait);
    assert_eq!(waited.status, Some(INFRASTRUCTURE.into()), "{waited:?}");
    stage.empties();
    let lost = status(&stage);
    assert_eq!((lost["state"].as_str(), &lost["keeper"]), (Some("lost"), &Value::Null));
    assert!(lost["advice"].as_str().unwrap().contains("was killed"));
    tool(&stage, ["results", "results"]).is_error(SETUP, "the job has no record");
    assert_eq!(tool(&stage, ["cancel", "results"]).status, Some(0));
    assert_eq!(tool(&stage, ["logs", "-f", "results"]).stdout, "begun\n");
    // And the directory is free for another.
    fs::remove_file(stage.path("results/ready")).unwrap();
    submit(&stage);
    assert_eq!(tool(&stage, ["cancel", "--now", "results"]).status, Some(0));
    stage.empties();
}

#[test]
fn a_process_that_a_stale_lease_names_is_left_alone() {
    let stage = Stage::shell(": > \"$4/ready\"; exec sleep 600", "time: 5\n");
    submit(&stage);
    let killed = owner(&stage);
    kill_process(killed, Signal::KILL).unwrap();
    stage.empties(); // what is left of the attempt has the lease for a moment
    let mut bystander = stage.command("sleep").arg("600").spawn().unwrap();
    let lease = stage.read(".sortie/results/keeper.lease");
    let (old, new) = (killed.as_raw_nonzero().to_string(), bystander.id().to_string());
    let (old, new) = (format!("\"pid\":{old},"), format!("\"pid\":{new},"));
    assert!(lease.contains(&old), "{lease}");
    // As where there are no locks.
    let lease = lease.replace(&old, &new).replace("\"locked\":true", "\"locked\":false");
    stage.write(".sortie/results/keeper.lease", lease);
    assert_eq!(tool(&stage, ["cancel", "--now", "results"]).status, Some(0));
    assert_eq!(state(&stage), "lost");
    assert!(bystander.try_wait().unwrap().is_none(), "it was ended");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    stage.empties();
}

#[test]
fn who_it_is_does_not_depend_on_the_note() {
    let stage = patient();
    submit(&stage);
    let pid = owner(&stage);
    stage.write(".sortie/results/keeper.json", "{}");
    assert_eq!(owner(&stage), pid);
    fs::remove_file(stage.path(".sortie/results/keeper.json")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", stage.path(".sortie/results/keeper.json")).unwrap();
    assert_eq!(state(&stage), "running");
    stage.write("results/go", "");
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(0));
    stage.empties();
}

#[test]
fn a_job_that_poses_as_a_sweep_is_a_job() {
    let stage = Stage::shell(&format!("echo {{}} > \"$4/ledger.jsonl\"; {PATIENT}"), "time: 5\n");
    submit(&stage);
    assert_eq!(state(&stage), "running");
    stage.write("results/go", "");
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(CORRECT.into()));
    assert_eq!(status(&stage)["kind"].as_str(), Some("job"));
    stage.empties();
}

#[test]
fn directories_where_nothing_was_ever_run() {
    let stage = patient();
    fs::create_dir(stage.path("results")).unwrap();
    for command in ["status", "wait", "results", "cancel", "logs"] {
        tool(&stage, [command, "results"]).is_error(SETUP, "results holds no job");
        tool(&stage, [command, "none"]).is_error(SETUP, "cannot open the results dir none");
        tool(&stage, [command, "job.yaml"]).is_error(SETUP, "job.yaml is a file, not a directory");
    }
    assert_eq!(tool(&stage, ["ls"]).stdout, "");
    assert!(stage.path("results").read_dir().unwrap().next().is_none(), "nothing was made there");
}

#[test]
fn names_of_any_bytes() {
    let stage = patient();
    let name = OsStr::from_bytes(b"-odd\xff \n\x1b[31m");
    let named = |args: &[&str]| {
        let mut command = stage.sortie(args);
        command.arg("--").arg(name);
        command
    };
    let mut submitted = stage.sortie(["submit", "-c", "job.yaml", "--", "candidate.py"]);
    let submitted = ran(submitted.arg(name));
    assert_eq!(submitted.status, Some(0), "{submitted:?}");
    assert!(submitted.stdout.contains("  -odd\u{fffd} \\n\\u{1b}[31m  "), "{submitted:?}");
    let dir = stage.path(name);
    eventually("the job", || dir.join("ready").exists());
    assert_eq!(ran(&mut named(&["status"])).status, Some(0));
    fs::write(dir.join("go"), "").unwrap();
    assert_eq!(ran(&mut named(&["wait"])).status, Some(0));
    assert_eq!(ran(&mut named(&["results"])).results()["correct"], Value::Bool(true));
    let listed = stage.sortie(["ls", "-0"]).output().unwrap();
    assert_eq!(listed.stdout, [name.as_bytes(), b"\0"].concat());
}

#[test]
fn jobs_below_a_directory() {
    let stage = Stage::shell(stage::CORRECT, "");
    let dirs = ["b/2/results", "b/10/results", "a"];
    for dir in dirs {
        let submitted = tool(&stage, ["submit", "-c", "job.yaml", "candidate.py", dir]);
        assert_eq!(submitted.status, Some(0), "{submitted:?}");
        assert_eq!(tool(&stage, ["wait", dir]).status, Some(0));
    }
    fs::create_dir(stage.path(".hidden")).unwrap();
    fs::rename(stage.path("b/2"), stage.path(".hidden/2")).unwrap();
    std::os::unix::fs::symlink(stage.path("a"), stage.path("c")).unwrap();
    fs::create_dir_all(stage.path("a/inside")).unwrap();
    let names = |ran: Ran| {
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        let name = |line: &str| {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            json["dir"].as_str().unwrap().to_owned()
        };
        ran.stdout.lines().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(tool(&stage, ["ls", "--json"])), ["a", "b/10/results"]);
    assert_eq!(names(tool(&stage, ["ls", "--json", "b"])), ["b/10/results"]);
    assert_eq!(names(tool(&stage, ["ls", "--json", "--depth", "1"])), ["a"]);
    assert_eq!(names(tool(&stage, ["ls", "--json", "a"])), ["a"]);
    tool(&stage, ["ls", "none"]).is_error(SETUP, "none: cannot be listed");
    stage.empties();
}

#[test]
fn an_owner_says_in_its_log_what_nobody_is_there_to_hear() {
    let stage = patient();
    let submitted = ran(stage.sortie(["--verbose"]).args(SUBMIT));
    assert_eq!(submitted.status, Some(0), "{submitted:?}");
    stage.write("results/go", "");
    assert_eq!(tool(&stage, ["wait", "results"]).status, Some(0));
    let mut log = String::new();
    let path = stage.path(".sortie/results/keeper.log");
    fs::File::open(path).unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("the job is over: exit code 0") && !log.contains('\x1b'), "{log}");
}
