//! Jobs of Slurm without a terminal, and those whose owner is gone.

use std::fs;

use rustix::process::{Signal, kill_process};
use sortie::exit_status::{CORRECT, INTERRUPTED, SETUP};
use sortie_results::{Object, Outcome, Record, Value};

use crate::owner::pid;
use crate::slurm::{Cluster, WAIT};
use crate::stage::{self, Ran, ended, eventually, ran};

const SUBMIT: [&str; 5] = ["submit", "--config", "job.yaml", "candidate.py", "results"];

/// Counts how often it runs, and waits for the test's word.
fn evaluator() -> String {
    format!("echo ran >> runs; {WAIT} {}", stage::CORRECT)
}

impl Cluster {
    fn tool<const N: usize>(&self, args: [&str; N]) -> Ran {
        ran(&mut self.sortie(args))
    }

    /// Submits the job, which has to be accepted.
    fn submit(&self) {
        let submitted = self.tool(SUBMIT);
        assert_eq!((submitted.status, submitted.stderr.as_str()), (Some(0), ""), "{submitted:?}");
    }

    fn status(&self) -> Object {
        self.tool(["status", "--json", "results"]).results()
    }

    fn says(&self, state: &str) -> bool {
        self.status()["state"].as_str() == Some(state)
    }

    /// Kills the process that sees to the job.
    fn kill_owner(&self) {
        kill_process(pid(&self.status()), Signal::KILL).unwrap();
        eventually("it to be gone", || self.says("orphaned"));
    }

    fn outcome(&self) -> Outcome {
        Record::read(&self.stage.path("results")).unwrap().outcome
    }
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn queued_with_its_reason_and_cancelled() {
    let cluster = Cluster::new(stage::CORRECT, "sbatch_args: {begin: now+1hour}\n");
    cluster.submit();
    eventually("Slurm's reason", || cluster.status()["reason"].as_str() == Some("BeginTime"));
    let status = cluster.status();
    assert_eq!(status["state"].as_str(), Some("queued"));
    let name = status["slurm"].get("job_name").and_then(Value::as_str).unwrap();
    assert!(name.starts_with("sortie-"), "{name}");
    assert_eq!(cluster.tool(["cancel", "results"]).status, Some(0));
    assert_eq!(cluster.outcome(), Outcome::Cancelled);
    assert_eq!(cluster.tool(["wait", "results"]).status, Some(INTERRUPTED.into()));
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn what_slurm_does_not_take_is_told_by_submit() {
    let cluster = Cluster::new(stage::CORRECT, "partition: no-such\n");
    let refused = cluster.tool(SUBMIT);
    assert_eq!((refused.status, refused.stdout.as_str()), (Some(SETUP.into()), ""), "{refused:?}");
    assert!(refused.stderr.starts_with("error: submit failed: "), "{refused:?}");
    assert!(refused.stderr.contains("invalid partition specified: no-such"), "{refused:?}");
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn one_whose_owner_was_killed_is_taken_up_by_those_who_wait() {
    let cluster = Cluster::new(&evaluator(), "");
    cluster.submit();
    cluster.stage.appears("results/ready");
    eventually("the job to run", || cluster.says("running"));
    cluster
        .tool(["attach", "-c", "job.yaml", "results"])
        .is_error(SETUP, "`sortie submit`, process");
    cluster.kill_owner();
    assert_eq!(cluster.state(), "RUNNING");
    assert!(cluster.status()["slurm"].get("job_id").and_then(Value::as_str).is_some());
    let unknown = cluster.tool(["wait", "results"]);
    unknown.is_error(SETUP, "its launcher is gone, and Slurm has or had the job");

    let wait = || cluster.sortie(["wait", "--config", "job.yaml", "results"]).spawn().unwrap();
    let waiters = [wait(), wait()];
    eventually("it to be taken up", || cluster.says("running"));
    let owner = &cluster.status()["keeper"];
    assert_eq!(owner.get("command").and_then(Value::as_str), Some("attach"));
    cluster.stage.write("results/go", "");
    for waiter in waiters {
        let waited = ended(waiter);
        assert_eq!(waited.status, Some(CORRECT.into()), "{waited:?}");
    }
    assert_eq!(cluster.stage.read("runs"), "ran\n");
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn one_whose_owner_was_killed_can_be_cancelled_without_its_settings() {
    let cluster = Cluster::new(&evaluator(), "");
    cluster.submit();
    cluster.stage.appears("results/ready");
    cluster.kill_owner();
    fs::remove_file(cluster.stage.path("job.yaml")).unwrap();
    let cancelled = cluster.tool(["cancel", "results"]);
    assert_eq!(cancelled.status, Some(0), "{cancelled:?}");
    assert!(cancelled.stdout.starts_with("finished  results  cancelled ("), "{cancelled:?}");
    assert_eq!(cluster.outcome(), Outcome::Cancelled);
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn taken_up_without_a_terminal() {
    let cluster = Cluster::new(&format!("echo begun; {}", evaluator()), "");
    cluster.submit();
    cluster.stage.appears("results/ready");
    cluster.kill_owner();
    let taken = cluster.tool(["attach", "--detach", "--config", "job.yaml", "results"]);
    assert_eq!((taken.status, taken.stderr.as_str()), (Some(0), ""), "{taken:?}");
    let logs = cluster.sortie(["logs", "-f", "results"]).spawn().unwrap();
    cluster.stage.write("results/go", "");
    assert_eq!(ended(logs).stdout, "begun\n");
    assert_eq!(cluster.tool(["wait", "results"]).status, Some(CORRECT.into()));
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn a_sweep_whose_launcher_was_killed_leaves_orphans_and_is_resumed() {
    let cluster = Cluster::new(&evaluator(), "");
    let args = ["sweep", "-c", "job.yaml", "-o", "out", "--detach", "--json", "candidate.py"];
    let begun = cluster.tool(args).results();
    cluster.stage.appears("out/candidate/ready");
    let job = || cluster.tool(["status", "--json", "out/candidate"]).results();
    eventually("it to run", || job()["state"].as_str() == Some("running"));
    kill_process(pid(&begun), Signal::KILL).unwrap();
    eventually("it to be orphaned", || job()["state"].as_str() == Some("orphaned"));
    assert!(job()["advice"].as_str().unwrap().contains("sortie sweep --resume"));

    let resumed = cluster.tool(["sweep", "--resume", "out", "--detach"]);
    assert_eq!(resumed.status, Some(0), "{resumed:?}");
    eventually("it to be in hand", || job()["state"].as_str() == Some("running"));
    cluster.stage.write("out/candidate/go", "");
    assert_eq!(cluster.tool(["wait", "out"]).status, Some(CORRECT.into()));
    assert_eq!(cluster.stage.read("runs"), "ran\n");
    cluster.stage.empties();
}
