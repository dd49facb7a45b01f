//! Sweeps on a real Slurm, left or killed, and resumed.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, INTERRUPTED};

use super::{SCORES, results, runs};
use crate::slurm::Cluster;
use crate::stage::{ended, eventually, ran};

/// Notes that it runs, and waits for a file to go on.
const WAITS: &str = r#": > "$4/ready"; while [ ! -e go ]; do sleep 0.05; done"#;
const CANDIDATES: usize = 3;

fn cluster() -> Cluster {
    let settings = "limits: {grace_seconds: 0.2}\n";
    let cluster = Cluster::new(&format!("{WAITS}\n{SCORES}"), settings);
    for number in 0..CANDIDATES {
        cluster.stage.write(format!("c/p{number}.py"), format!("{number}\n"));
    }
    cluster
}

fn begin(cluster: &Cluster) -> Command {
    cluster.sortie(["sweep", "--config", "job.yaml", "--out", "out", "c"])
}

fn ready(cluster: &Cluster) -> usize {
    let is_ready = |number: &usize| cluster.stage.path(format!("out/p{number}/ready")).exists();
    (0..CANDIDATES).filter(is_ready).count()
}

/// Resumes the sweep, whose jobs go on meanwhile: each of them runs once, and none was cancelled.
fn is_resumed(cluster: &Cluster) {
    let tool = cluster.sortie(["sweep", "--resume", "out"]).spawn().unwrap();
    cluster.stage.write("go", "");
    let resumed = ended(tool);
    assert_eq!(resumed.status, Some(CORRECT.into()), "{resumed:?}");
    let all = format!("all {CANDIDATES} candidates are done: {CANDIDATES} correct\n");
    assert!(resumed.stdout.starts_with(&all), "{resumed:?}");
    let (results, runs) = (results(&cluster.stage), runs(&cluster.stage));
    assert_eq!((results.len(), runs.len()), (CANDIDATES, CANDIDATES), "{runs:?}");
    assert!(runs.values().all(|runs| *runs == 1), "{runs:?}");
    let attempts = |id: &str| cluster.stage.path(format!("out/{id}/previous")).exists();
    assert!(!runs.keys().any(|id| attempts(id)), "there were other attempts: {resumed:?}");
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn jobs_of_a_launcher_that_was_killed_are_taken_up() {
    let cluster = cluster();
    let mut tool = begin(&cluster).spawn().unwrap();
    eventually("a job to run", || ready(&cluster) > 0);
    tool.kill().unwrap();
    tool.wait().unwrap();
    is_resumed(&cluster);
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn jobs_are_left_to_slurm_by_a_second_ctrl_c() {
    let cluster = cluster();
    let tool = begin(&cluster).spawn().unwrap();
    eventually("a job to run", || ready(&cluster) > 0);
    let interrupt = || {
        kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    };
    interrupt();
    std::thread::sleep(std::time::Duration::from_millis(300));
    interrupt();
    let left = ended(tool);
    assert_eq!(left.status, Some(INTERRUPTED.into()), "{left:?}");
    assert!(left.stderr.ends_with("stopping now\n"), "{left:?}");
    is_resumed(&cluster);
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn jobs_are_cancelled_where_that_is_asked_for_and_run_again() {
    let cluster = cluster();
    let args = ["sweep", "--config", "job.yaml", "--out", "out", "--cancel-running", "c"];
    let tool = cluster.sortie(args).spawn().unwrap();
    // Of one that is cancelled as it starts it takes Slurm a minute to be certain.
    eventually("all jobs to run", || ready(&cluster) == CANDIDATES);
    kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let cancelled = ended(tool);
    assert_eq!(cancelled.status, Some(INTERRUPTED.into()), "{cancelled:?}");
    cluster.stage.empties();
    assert_eq!(results(&cluster.stage).len(), 0, "{cancelled:?}");
    cluster.stage.write("go", "");
    let resumed = ran(&mut cluster.sortie(["sweep", "--resume", "out"]));
    assert_eq!(resumed.status, Some(CORRECT.into()), "{resumed:?}");
    assert_eq!((results(&cluster.stage).len(), runs(&cluster.stage).len()), (3, 3));
}
