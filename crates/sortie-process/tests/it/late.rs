//! The helper process is stopped (SIGSTOP) while its command ends, and goes on after the time limit.

use std::fs;
use std::time::Duration;

use sortie_process::{Command, Exit, Status, Stopped};

use crate::helpers_killed::reaper_of;
use crate::{Stage, eventually, is_over, marked, signal};

const LIMIT: Duration = Duration::from_secs(4);

/// Stops the command's reaper, has the command end after so long, and has the reaper go on after the limit.
async fn ends_unseen(stage: &Stage, command: &Command, ends_after: Duration) -> Exit {
    let mut command = command.clone();
    command.limits.time = Some(LIMIT);
    let mut process = stage.start(&command).await;
    stage.appears("pid").await;
    let first: i32 = stage.read("pid").trim().parse().unwrap();
    let reaper = reaper_of(stage);
    signal("STOP", reaper);
    tokio::time::sleep(ends_after).await;
    fs::write(stage.path("end"), "").unwrap();
    eventually("the command to end", || is_over(first)).await;
    tokio::time::sleep((LIMIT + Duration::from_secs(2)).saturating_sub(ends_after)).await;
    signal("CONT", reaper);
    let exit = process.wait().await.unwrap();
    assert_eq!(marked(&stage.mark()), [] as [i32; 0], "processes were left");
    exit
}

const SCRIPT: &str =
    "echo $$ >pid.new; mv pid.new pid; while [ ! -e end ]; do sleep 0.01; done; exit 3";

#[tokio::test]
async fn a_command_that_ran_over_its_limit_is_stopped_by_that_though_nobody_saw_it() {
    let stage = Stage::new();
    let exit = ends_unseen(&stage, &stage.sh(SCRIPT), LIMIT + Duration::from_millis(500)).await;
    assert_eq!((exit.stopped, exit.status), (Some(Stopped::TimeLimit), Status::Exited(3)));
    assert!(exit.running >= LIMIT, "{exit:?}");
}

#[tokio::test]
async fn a_command_that_ended_in_time_did_so_though_that_is_seen_late() {
    let stage = Stage::new();
    let exit = ends_unseen(&stage, &stage.sh(SCRIPT), Duration::from_millis(200)).await;
    assert_eq!((exit.stopped, exit.status), (None, Status::Exited(3)));
    assert!(exit.running < LIMIT, "{exit:?}");
}
