//! Nothing a command started outlives it.

use std::os::fd::AsFd;
use std::time::Duration;

use sortie_process::{Command, Files, Status, Stopped};

use crate::{MARK, Stage, eventually, marked};

/// Starts `sleep 600`, in every way a process can hide; `ready` is made once all are there.
const HIDING: &str = "trap '' TERM HUP INT; \
    sleep 600 & \
    setsid sleep 600 & \
    (setsid sh -c 'sleep 600 & sleep 600 & exec sleep 600' &) & \
    (sh -c '(sleep 600 &)' &) ; \
    nohup setsid sh -c 'trap \"\" TERM; setsid sleep 600 & touch ready; wait; sleep 600' \
        >/dev/null 2>&1 & \
    while [ ! -e ready ]; do sleep 0.01; done; ";

#[tokio::test]
async fn what_a_normal_exit_leaves_behind_is_ended() {
    let stage = Stage::new();
    let exit = stage.run(&stage.sh(&format!("{HIDING} exit 0"))).await;
    assert_eq!((exit.status, exit.stopped), (Status::Exited(0), None));
    assert!(exit.stragglers >= 6, "{exit:?}");
}

#[tokio::test]
async fn what_a_crash_leaves_behind_is_ended() {
    let stage = Stage::new();
    let exit = stage.run(&stage.sh(&format!("{HIDING} kill -KILL $$"))).await;
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(9), None));
}

#[tokio::test]
async fn what_ends_by_itself_in_a_moment_is_no_straggler() {
    let stage = Stage::new();
    // On a busy machine a moment can be long.
    for _ in 0..100 {
        if stage.run(&stage.sh("sleep 0.005 & exit 0")).await.stragglers == 0 {
            return;
        }
    }
    panic!("each of a hundred was stopped");
}

#[tokio::test]
async fn the_time_limit_holds_for_all() {
    let stage = Stage::new();
    let mut command = stage.sh(&format!("{HIDING} sleep 600; sleep 600"));
    command.limits.time = Some(Duration::from_secs(1));
    command.limits.grace = Duration::from_millis(200);
    assert_eq!(stage.run(&command).await.stopped, Some(Stopped::TimeLimit));
}

#[tokio::test]
async fn processes_made_without_pause_are_ended() {
    let stage = Stage::new();
    let script = "spawn() { while :; do setsid sh -c 'sleep 0.3; sleep 600' & sleep 0.002; done; }; \
                  trap '' TERM; spawn & spawn & sleep 0.3; touch ready; wait";
    let mut process = stage.start(&stage.sh(script)).await;
    stage.appears("ready").await;
    process.kill();
    process.wait().await.unwrap();
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}

#[tokio::test]
async fn dropping_a_process_kills_it() {
    let stage = Stage::new();
    let process = stage.start(&stage.sh(&format!("{HIDING} sleep 600"))).await;
    stage.appears("ready").await;
    drop(process);
    stage.empties().await;
}

#[tokio::test]
async fn the_hold_is_let_go_of_when_the_last_process_is_gone() {
    let stage = Stage::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let logs = stage.logs();
    let files = Files { hold: Some(writer.as_fd()), ..crate::files(&logs) };
    let command = stage.sh(&format!("{HIDING} ls /proc/self/fd; exit 0"));
    let mut process = stage.supervisor.spawn(&command, files).await.unwrap();
    drop(writer);
    let held = tokio::task::spawn_blocking(move || {
        std::io::Read::read(&mut reader, &mut [0]).unwrap();
    });
    stage.appears("ready").await;
    process.wait().await.unwrap();
    held.await.unwrap();
    // The command did not see it: 3 is what `ls` opened itself.
    assert_eq!(stage.read("out"), "0\n1\n2\n3\n");
}

/// Has a command the grace period if its launcher is killed, and how long.
const GRACE: &str = "SORTIE_TEST_GRACE";

/// What the next tests kill, in a process that they start; does nothing in the test program itself.
#[tokio::test]
async fn launcher() {
    let Ok(mark) = std::env::var(MARK) else { return };
    let mut stage = Stage::new();
    stage.dir = tempfile::Builder::new().disable_cleanup(true).tempdir().unwrap();
    let mut command = stage.sh(&format!("{HIDING} sleep 600"));
    if let Ok(seconds) = std::env::var(GRACE) {
        // Longer than helper processes have that say nothing, and each stays a while.
        let tidy = "trap 'sleep 3; touch tidied; exit' TERM; touch armed; sleep 600 & wait";
        command = stage.sh(&format!("{HIDING} {tidy}"));
        command.limits.grace = Duration::from_secs(seconds.parse().unwrap());
        command.limits.orphan_grace = true;
    }
    command.env = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        (MARK.into(), format!("{mark}-command").into()),
    ]
    .into();
    command.cwd = mark.into();
    stage.start(&command).await.wait().await.unwrap();
}

#[tokio::test]
async fn a_launcher_killed_with_sigkill_takes_its_commands_along() {
    let stage = Stage::new();
    kill_launcher(&stage, None).await;
}

#[tokio::test]
async fn the_grace_period_can_hold_without_a_launcher() {
    let stage = Stage::new();
    kill_launcher(&stage, Some("8")).await;
    assert!(stage.path("tidied").exists());
    // And then it is over.
    let stage = Stage::new();
    kill_launcher(&stage, Some("1")).await;
    assert!(!stage.path("tidied").exists());
}

/// Kills a launcher, and waits until nothing is left of its command and of its helpers.
async fn kill_launcher(stage: &Stage, grace: Option<&str>) {
    #[expect(clippy::disallowed_methods, reason = "the launcher, which the crate does not keep")]
    let mut launcher = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "survivors::launcher"])
        .env(MARK, stage.mark())
        .envs(grace.map(|grace| (GRACE, grace)))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    stage.appears(if grace.is_some() { "armed" } else { "ready" }).await;
    let of_command = format!("{}-command", stage.mark());
    assert!(marked(&of_command).len() > 6);
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    eventually("the command's processes to end", || marked(&of_command).is_empty()).await;
    let helpers = || crate::helpers_killed::helpers_of(launcher.id().try_into().unwrap());
    eventually("the helpers to end", || helpers().is_empty()).await;
}

#[tokio::test]
async fn a_supervisor_leaves_no_helper() {
    let stage = Stage::new();
    stage.run(&stage.sh("exit 0")).await;
    let spawn_server = crate::helpers_killed::spawn_server_of(&stage).await;
    let Stage { supervisor, .. } = stage;
    drop(supervisor);
    let there = || std::path::Path::new(&format!("/proc/{spawn_server}")).exists();
    eventually("the spawn server to end and be reaped", || !there()).await;
}

/// A command is data: it can be compared, copied and printed.
#[test]
fn commands_are_plain_data() {
    let stage = Stage::new();
    let command: Command = stage.sh("exit 0");
    assert_eq!(command.clone(), command);
    assert!(format!("{command:?}").contains("exit 0"));
}
