//! The helper processes are killed from outside: the command ends, the launcher hears of it, and the
//! next command runs.

use std::fs;

use sortie_process::{RunError, Status, Stopped};

use crate::{Stage, eventually, marked, parent, processes, signal};

/// The reaper that keeps the stage's command.
pub(crate) fn reaper_of(stage: &Stage) -> i32 {
    let marked = marked(&stage.mark());
    marked.iter().filter_map(|pid| parent(*pid)).find(|pid| !marked.contains(pid)).unwrap()
}

/// The spawn server of a supervisor, found by running something.
pub(crate) async fn spawn_server_of(stage: &Stage) -> i32 {
    let mut process = stage.start(&stage.sh("sleep 600")).await;
    eventually("the command to start", || !marked(&stage.mark()).is_empty()).await;
    let spawn_server = parent(reaper_of(stage)).unwrap();
    process.kill();
    process.wait().await.unwrap();
    spawn_server
}

/// The helper processes of a launcher.
pub(crate) fn helpers_of(launcher: i32) -> Vec<i32> {
    let variable = format!("SORTIE_WARDEN_OF={launcher}");
    processes()
        .filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
        })
        .collect()
}

#[tokio::test]
async fn a_killed_reaper_loses_the_command_and_nothing_more() {
    let stage = Stage::new();
    let mut other = stage.start(&stage.sh("while [ ! -e end ]; do sleep 0.05; done; exit 3")).await;
    let hiding = Stage { supervisor: stage.supervisor.clone(), ..Stage::new() };
    let script = "trap '' TERM; setsid sleep 600 & (setsid sleep 600 &) & touch ready; sleep 600";
    let mut process = hiding.start(&hiding.sh(script)).await;
    hiding.appears("ready").await;

    signal("KILL", reaper_of(&hiding));
    let lost = process.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert_eq!(marked(&hiding.mark()), [] as [i32; 0], "told before all was over");

    assert_eq!(hiding.run(&hiding.sh("exit 0")).await.status, Status::Exited(0));
    fs::write(stage.path("end"), "").unwrap();
    assert_eq!(other.wait().await.unwrap().status, Status::Exited(3));
}

#[tokio::test]
async fn a_killed_idle_reaper_is_replaced() {
    let stage = Stage::new();
    let mut process = stage.start(&stage.sh("sleep 600")).await;
    eventually("the command to start", || !marked(&stage.mark()).is_empty()).await;
    let reaper = reaper_of(&stage);
    process.kill();
    process.wait().await.unwrap();
    signal("KILL", reaper);
    let gone = || !std::path::Path::new(&format!("/proc/{reaper}")).exists();
    eventually("the spawn server to reap it", gone).await;
    assert_eq!(stage.run(&stage.sh("exit 2")).await.status, Status::Exited(2));
}

#[tokio::test]
async fn a_killed_spawn_server_ends_its_commands_and_is_replaced() {
    let stage = Stage::new();
    let script = "trap '' TERM; setsid sleep 600 & (setsid sleep 600 &) & touch ready; sleep 600";
    let mut process = stage.start(&stage.sh(script)).await;
    stage.appears("ready").await;
    signal("KILL", parent(reaper_of(&stage)).unwrap());
    // Its reaper was told by the kernel, and has had the time to end all in good order.
    let lost = process.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert_eq!(marked(&stage.mark()), [] as [i32; 0], "told before all was over");
    assert_eq!(stage.run(&stage.sh("exit 2")).await.status, Status::Exited(2));
}

#[tokio::test]
async fn a_command_that_tells_its_reaper_to_leave_is_lost_and_not_stopped_as_asked() {
    let stage = Stage::new();
    let script = "setsid sleep 600 & kill -TERM $PPID; sleep 600";
    let lost = stage.start(&stage.sh(script)).await.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert!(lost.to_string().contains("told to end (SIGTERM)"), "{lost}");
    assert_eq!(marked(&stage.mark()), [] as [i32; 0], "told before all was over");
    assert_eq!(stage.run(&stage.sh("exit 2")).await.status, Status::Exited(2));
}

#[tokio::test]
async fn a_stopped_reaper_goes_on_when_the_command_is_overdue() {
    let stage = Stage::new();
    let mut command = stage.sh("sleep 600");
    // Long enough for the reaper to be stopped before, on a loaded machine too.
    command.limits.time = Some(std::time::Duration::from_secs(5));
    command.limits.grace = std::time::Duration::from_millis(100);
    let mut process = stage.start(&command).await;
    eventually("the command to start", || !marked(&stage.mark()).is_empty()).await;
    signal("STOP", reaper_of(&stage));
    let exit = process.wait().await.unwrap();
    assert_eq!(exit.stopped, Some(Stopped::TimeLimit));
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}

#[tokio::test]
async fn a_stopped_spawn_server_goes_on_when_it_is_needed() {
    let stage = Stage::new();
    let mut process = stage.start(&stage.sh("sleep 600")).await;
    eventually("the command to start", || !marked(&stage.mark()).is_empty()).await;
    let spawn_server = parent(reaper_of(&stage)).unwrap();

    signal("STOP", spawn_server);
    let other = Stage { supervisor: stage.supervisor.clone(), ..Stage::new() };
    assert_eq!(other.run(&other.sh("exit 2")).await.status, Status::Exited(2));

    signal("STOP", spawn_server);
    process.kill();
    process.wait().await.unwrap();
    drop((process, other, stage));
    eventually("the spawn server to end", || parent(spawn_server).is_none()).await;
}
