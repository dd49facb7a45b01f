//! Servers that are killed, stopped or too few: a job is run all the same, and once.

use std::time::Duration;

use sortie_process::{RunError, Start, Status, Stopped};

use crate::{Stage, signal, warmed};

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
async fn a_job_is_lost_with_its_server_and_is_not_said_to_have_failed() {
    let stage = Stage::new(
        "import os, time\nif not os.path.exists('ready'):\n    open('ready', 'w').close()\n    \
         time.sleep(600)\nraise SystemExit(7)\n",
    );
    let mut process = stage.start(&stage.warm(&[])).await;
    stage.appears("ready").await;
    assert_eq!(stage.processes().len(), 2);
    // The older of the two.
    signal("KILL", stage.processes()[0]);
    let lost = process.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert_eq!(stage.processes(), [] as [i32; 0]);
    let again = stage.run(&stage.warm(&[])).await;
    assert_eq!((again.exit.start, again.exit.status), (Start::Fresh, Status::Exited(7)));
}

#[tokio::test]
async fn a_server_stopped_while_its_job_runs_holds_up_nothing_beyond_its_limit() {
    let stage = Stage::new("import time\nopen('ready', 'w').close()\ntime.sleep(600)\n");
    let mut command = stage.warm(&[]);
    command.limits.time = Some(Duration::from_secs(2));
    let mut process = stage.start(&command).await;
    stage.appears("ready").await;
    signal("STOP", stage.processes()[0]);
    assert_eq!(process.wait().await.unwrap().stopped, Some(Stopped::TimeLimit));
    assert_eq!(stage.processes(), [] as [i32; 0]);
}

#[tokio::test]
async fn a_signal_that_a_module_handles_does_not_end_the_servers_wait() {
    let stage = Stage::new(
        "import module, os, time\nopen('ready', 'w').close()\n\
         while not os.path.exists('go'):\n    time.sleep(0.01)\nraise SystemExit(7)\n",
    );
    stage.write(
        "module.py",
        "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: open('handled', 'w').close())\n",
    );
    let mut process = stage.start(&stage.warm(&[])).await;
    stage.appears("ready").await;
    signal("USR1", stage.processes()[0]);
    stage.appears("handled").await;
    assert_eq!(stage.processes().len(), 2);
    stage.write("go", "");
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.start, exit.status), (Start::Fresh, Status::Exited(7)));
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
