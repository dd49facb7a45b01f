//! What a command writes, and how much of it.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use sortie_process::{Files, Status, Stopped};

use crate::Stage;

#[tokio::test]
async fn output_can_be_read_while_the_command_runs() {
    let stage = Stage::new();
    let mut process = stage
        .start(&stage.sh("echo first; while [ ! -e seen ]; do sleep 0.02; done; echo last"))
        .await;
    crate::eventually("the first line", || {
        fs::read_to_string(stage.path("out")).is_ok_and(|out| out == "first\n")
    })
    .await;
    fs::write(stage.path("seen"), "").unwrap();
    process.wait().await.unwrap();
    assert_eq!(stage.read("out"), "first\nlast\n");
}

#[tokio::test]
async fn a_flood_is_stopped_and_cut_at_the_limit() {
    for stream in [1, 2] {
        let stage = Stage::new();
        let mut command = stage.sh(&format!("setsid yes flood >&{stream} & exec yes >&{stream}"));
        command.limits.log_bytes = 1_000_000;
        let exit = stage.run(&command).await;
        assert_eq!(exit.stopped, Some(Stopped::LogLimit));
        let flooded = if stream == 1 { "out" } else { "err" };
        assert_eq!(fs::metadata(stage.path(flooded)).unwrap().len(), 1_000_000);
    }
}

#[tokio::test]
async fn a_burst_just_before_the_end_is_noticed_too() {
    let stage = Stage::new();
    let mut command = stage.sh("head -c 3000 /dev/zero");
    command.limits.log_bytes = 2000;
    let exit = stage.run(&command).await;
    // On a busy machine it may be seen, and the command killed, before that ends by itself.
    assert_eq!(exit.stopped, Some(Stopped::LogLimit), "{exit:?}");
    command.limits.log_bytes = 5000; // 2000 are there
    let exit = stage.run(&command).await;
    assert_eq!((exit.status, exit.stopped), (Status::Exited(0), None));
}

#[tokio::test]
async fn a_full_disk_is_the_commands_to_notice() {
    let stage = Stage::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let logs = stage.logs();
    let files = Files { stdout: full.as_fd(), ..crate::files(&logs) };
    let command = stage.sh("echo lost || exit 8");
    let mut process = stage.supervisor.spawn(&command, files).await.unwrap();
    assert_eq!(process.wait().await.unwrap().status, Status::Exited(8));
}

#[tokio::test]
async fn a_slow_flood_is_stopped_without_waiting_for_the_end() {
    let stage = Stage::new();
    let mut command = stage.sh("while :; do head -c 100000 /dev/zero; sleep 0.01; done");
    command.limits.log_bytes = 500_000;
    command.limits.time = Some(Duration::from_secs(60));
    assert_eq!(stage.run(&command).await.stopped, Some(Stopped::LogLimit));
}
