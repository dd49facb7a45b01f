//! Servers that are killed, stopped or too few: a job is run all the same, and once.

use std::time::Duration;

use sortie_process::{Start, Status};

use crate::{Stage, eventually, signal, warmed};

const COUNTS: &str = "with open('count', 'a') as file:\n    file.write('x')\n";

#[tokio::test]
async fn a_server_killed_while_idle_is_replaced() {
    let stage = Stage::new(COUNTS);
    stage.run(&stage.warm(&[])).await;
    signal("KILL", stage.processes()[0]);
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!((ran.exit.start, ran.exit.status), (Start::Fresh, Status::Exited(0)));
    assert_eq!(stage.read("count"), "xx");
}

#[tokio::test]
async fn a_server_that_hangs_is_replaced() {
    let stage = Stage::new(COUNTS);
    stage.run(&stage.warm(&[])).await;
    signal("STOP", stage.processes()[0]);
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!((ran.exit.start, ran.exit.status), (Start::Fresh, Status::Exited(0)));
    assert_eq!(stage.read("count"), "xx");
}

#[tokio::test]
async fn a_server_killed_while_its_job_runs_leaves_the_job_alone() {
    let stage = Stage::new(
        "import os, time\nopen('ready', 'w').close()\nwhile not os.path.exists('end'):\n    \
         time.sleep(0.01)\nraise SystemExit(7)\n",
    );
    let mut process = stage.start(&stage.warm(&[])).await;
    stage.appears("ready").await;
    assert_eq!(stage.processes().len(), 2);
    // The older of the two.
    signal("KILL", stage.processes()[0]);
    eventually("the server to end", || stage.processes().len() == 1).await;
    stage.write("end", "");
    assert_eq!(process.wait().await.unwrap().status, Status::Exited(7));
    let again = stage.run(&stage.warm(&[])).await;
    assert_eq!((again.exit.start, again.exit.status), (Start::Fresh, Status::Exited(7)));
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_given_up() {
    let stage = Stage::new("import slow\nprint('ran')\n");
    stage.write("slow.py", "import sys, time\ntime.sleep(600 if sys.argv[1:] == [] else 0)\n");
    let command = warmed(stage.cold(&[]), &[], |t| t.patience = Duration::from_millis(500));
    let ran = stage.run(&command).await;
    assert_eq!((crate::fallback(&ran.exit), ran.out.as_str()), ("it says nothing", "ran\n"));
}

#[tokio::test]
async fn a_server_that_cannot_be_started_is_no_failure_of_the_job() {
    let stage = Stage::new("print('ran')");
    let command = warmed(stage.cold(&[]), &[], |t| t.program = "no-such-python".into());
    let ran = stage.run(&command).await;
    assert_eq!(ran.out, "ran\n");
    assert!(crate::fallback(&ran.exit).contains("No such file"), "{ran:?}");
}

#[tokio::test]
async fn a_server_that_has_grown_is_replaced() {
    let stage = Stage::new("import module\n");
    stage.write(
        "module.py",
        "import os\nhoard = []\n\
         os.register_at_fork(after_in_parent=lambda: hoard.append(b'x' * 10_000_000))\n",
    );
    let command = warmed(stage.cold(&[]), &[], |t| t.growth = 15_000_000);
    let mut starts = Vec::new();
    for _ in 0..4 {
        starts.push(stage.run(&command).await.exit.start);
    }
    let (fresh, warm) = (Start::Fresh, Start::Warm);
    assert_eq!(starts, [fresh.clone(), warm.clone(), fresh, warm]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_servers_than_wanted() {
    let stage = Stage::new("import time\ntime.sleep(0.5)\n");
    let command = warmed(stage.cold(&[]), &[], |t| t.most = 2);
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(stage.start(&command).await);
    }
    let mut starts = Vec::new();
    for mut process in running {
        starts.push(process.wait().await.unwrap().start);
    }
    assert_eq!(starts, [Start::Fresh, Start::Fresh, Start::Cold, Start::Cold]);
    assert_eq!(stage.processes().len(), 2);
}
