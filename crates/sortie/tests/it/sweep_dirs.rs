//! Sweeps without a terminal, and commands that find them by their directories.

use std::io::Write;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sortie::exit_status::{CORRECT, INFRASTRUCTURE, SETUP};

use crate::stage::{Ran, Stage, ended, eventually, ran};

/// Says that it runs, waits for the test's word, and takes its score from the candidate.
const PATIENT: &str = r#"
echo "$2 runs"
: > "$4/ready"
while [ ! -e go ]; do sleep 0.02; done
echo "{\"combined_score\": $(cat "$2")}" > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

/// Candidates `p0`, `p1` …, with these scores.
fn stage(scores: &[&str]) -> Stage {
    let stage = Stage::shell(PATIENT, "time: 5\nlimits: {grace_seconds: 0.3}\n");
    for (number, score) in scores.iter().enumerate() {
        stage.write(format!("c/p{number}.py"), score);
    }
    stage
}

fn tool<const N: usize>(stage: &Stage, args: [&str; N]) -> Ran {
    ran(&mut stage.sortie(args))
}

/// Begins a sweep that goes on by itself.
fn detached(stage: &Stage) -> Ran {
    let args = ["sweep", "-c", "job.yaml", "-o", "out", "-j", "2", "--detach", "c"];
    let begun = tool(stage, args);
    assert_eq!((begun.status, begun.stderr.as_str()), (Some(0), ""), "{begun:?}");
    stage.appears("out/p0/ready");
    begun
}

fn status(stage: &Stage, dir: &str) -> Value {
    let ran = tool(stage, ["status", "--json", dir]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn begun_watched_and_waited_for() {
    let stage = stage(&["2", "30", "4"]);
    let begun = detached(&stage);
    assert!(
        begun.stdout.contains("  out  0 of 3 done, 0 correct; `sortie sweep`, process "),
        "{begun:?}"
    );
    let wait = stage.sortie(["wait", "out"]).stdout(Stdio::piped()).spawn().unwrap();
    let logs = stage.sortie(["logs", "-f", "out", "p0"]).stdout(Stdio::piped()).spawn().unwrap();
    let running = status(&stage, "out");
    let of = |name: &str| running[name].clone();
    assert_eq!([of("version"), of("kind")], [1.into(), Value::from("sweep")]);
    assert_eq!([of("state"), of("candidates")], ["running".into(), Value::from(3)]);
    assert_eq!((of("best"), &running["keeper"]["command"]), (Value::Null, &"sweep".into()));
    // A job of it is the sweep's.
    let job = status(&stage, "out/p0");
    assert_eq!((&job["state"], &job["keeper"]), (&"running".into(), &Value::Null));
    tool(&stage, ["cancel", "out/p0"]).is_error(SETUP, "out/p0 is in use by the sweep out");
    tool(&stage, ["logs", "out"]).is_error(SETUP, "a sweep has no logs of its own");
    tool(&stage, ["logs", "out", "../c"]).is_error(SETUP, "no candidate has the id `../c`");
    tool(&stage, ["logs", "out/p0", "p0"]).is_error(SETUP, "this is not a sweep");

    stage.write("go", "");
    let waited = ended(wait);
    assert_eq!(waited.status, Some(CORRECT.into()), "{waited:?}");
    let said = "finished  out  3 of 3 done, 3 correct, best 30 (p1)\n";
    assert_eq!(waited.stdout, said);
    assert_eq!(ended(logs).stdout, "c/p0.py runs\n");
    stage.empties();

    assert_eq!(status(&stage, "out")["done"]["correct"], 3);
    let all = lines(&tool(&stage, ["results", "out"]));
    assert_eq!(all.len(), 3);
    let top = lines(&tool(&stage, ["results", "--top", "2", "out"]));
    assert_eq!(top.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ["p1", "p2"]);
    let one = lines(&tool(&stage, ["results", "out/p1"]));
    assert_eq!(one[0]["metrics"], top[0]["metrics"]);
    assert!(stage.read("out/sweep.log").contains("all 3 candidates are done"));

    let listed = lines(&tool(&stage, ["ls", "--json"]));
    assert_eq!(listed.iter().map(|line| &line["dir"]).collect::<Vec<_>>(), ["out"]);
    let inside = lines(&tool(&stage, ["ls", "--json", "out"]));
    let dirs: Vec<_> = inside.iter().map(|line| &line["dir"]).collect();
    assert_eq!(dirs, ["out/p0", "out/p1", "out/p2"]);
}

#[test]
fn cancelled_and_resumed_without_a_terminal() {
    let stage = stage(&["1", "2", "3"]);
    detached(&stage);
    let cancelled = tool(&stage, ["cancel", "out"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    stage.empties();
    let stopped = status(&stage, "out");
    assert_eq!((&stopped["state"], &stopped["keeper"]), (&"stopped".into(), &Value::Null));
    assert!(stopped["advice"].as_str().unwrap().contains("sortie sweep --resume"));
    assert_eq!(tool(&stage, ["wait", "out"]).status, Some(INFRASTRUCTURE.into()));
    stage.write("go", "");
    let resumed = tool(&stage, ["sweep", "--resume", "out", "--detach", "--json"]);
    assert_eq!(resumed.status, Some(0), "{resumed:?}");
    assert_eq!(resumed.results()["kind"].as_str(), Some("sweep"));
    assert_eq!(tool(&stage, ["wait", "out"]).status, Some(CORRECT.into()));
    stage.empties();
}

#[test]
fn a_killed_launcher_takes_its_jobs_with_it() {
    let stage = stage(&["1", "2", "3"]);
    detached(&stage);
    let pid = status(&stage, "out")["keeper"]["pid"].as_i64().unwrap();
    let wait = stage.sortie(["wait", "out"]).stdout(Stdio::piped()).spawn().unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    let waited = ended(wait);
    assert_eq!(waited.status, Some(INFRASTRUCTURE.into()), "{waited:?}");
    stage.empties();
    assert_eq!(status(&stage, "out")["state"], "stopped");
    let job = status(&stage, "out/p0");
    assert_eq!(job["state"], "lost");
    assert!(job["advice"].as_str().unwrap().contains("sortie sweep --resume"), "{job}");
}

#[test]
fn at_once() {
    let stage = stage(&["1", "2"]);
    let evaluator = "trap '' TERM; : > \"$4/ready\"; while :; do sleep 600; done";
    stage.write("evaluate.sh", evaluator);
    stage.write("job.yaml", format!("{}limits: {{grace_seconds: 600}}\n", crate::stage::SHELL));
    detached(&stage);
    let cancelled = tool(&stage, ["cancel", "--now", "out"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    stage.empties();
    assert_eq!(status(&stage, "out")["state"], "stopped");
}

#[test]
fn what_cannot_be_begun_is_told() {
    let stage = stage(&["1"]);
    stage.write("go", "");
    let args = ["sweep", "-c", "job.yaml", "-o", "out", "--detach"];
    ran(stage.sortie(args).arg("none.py")).is_error(SETUP, "none.py");
    assert!(!stage.path("out").exists());
    // A list on standard input is read before the terminal is left.
    let mut child = stage.sortie(args);
    child.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"c/p0.py\n").unwrap();
    let begun = ended(child);
    assert_eq!((begun.status, begun.stderr.as_str()), (Some(0), ""), "{begun:?}");
    assert_eq!(tool(&stage, ["wait", "out"]).status, Some(CORRECT.into()));
    eventually("it to end", || stage.processes().is_empty());
    let again = ran(stage.sortie(args).arg("c"));
    again.is_error(SETUP, "holds a sweep already");
    std::fs::remove_file(stage.path("out/settings.yaml")).unwrap();
    let broken = tool(&stage, ["sweep", "--resume", "out", "--detach"]);
    assert_eq!((broken.status, broken.stdout.as_str()), (Some(SETUP.into()), ""), "{broken:?}");
    broken.says_error("settings.yaml");
}

/// A job there would be all that other commands see of it.
#[test]
fn the_directory_of_a_sweep_is_no_results_dir() {
    let stage = stage(&["1"]);
    stage.write("go", "");
    let sweep = ["sweep", "-c", "job.yaml", "-o", "out", "c/p0.py"];
    assert_eq!(tool(&stage, sweep).status, Some(CORRECT.into()));
    for command in ["run", "submit"] {
        let refused = tool(&stage, [command, "-c", "job.yaml", "c/p0.py", "out"]);
        refused.is_error(SETUP, "out: it is the directory of a sweep");
    }
    assert_eq!(status(&stage, "out")["kind"], "sweep");
}
