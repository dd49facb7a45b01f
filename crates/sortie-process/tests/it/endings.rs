//! How a command ends, and what is reported of it.

use std::time::Duration;

use sortie_process::{Status, Stopped};

use crate::Stage;

#[tokio::test]
async fn an_exit_code_is_reported_each_time_it_is_asked_for() {
    let stage = Stage::new();
    let mut process = stage.start(&stage.sh("echo out; echo err >&2; exit 7")).await;
    let exit = process.wait().await.unwrap();
    assert_eq!(exit.status, Status::Exited(7));
    assert_eq!((exit.stopped, exit.stragglers, exit.out_of_memory), (None, 0, false));
    assert_eq!(process.wait().await.unwrap(), exit);
    assert_eq!((stage.read("out").as_str(), stage.read("err").as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn a_signal_is_reported_as_one() {
    let stage = Stage::new();
    let exit = stage.run(&stage.sh("kill -SEGV $$")).await;
    assert_eq!(exit.status, Status::Signaled(11));
    let exit = stage.run(&stage.sh("kill -KILL $$")).await;
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(9), None));
}

#[tokio::test]
async fn time_memory_and_cpu_are_those_of_the_whole_tree() {
    let stage = Stage::new();
    let script = "(i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & \
                  head -c 40000000 /dev/zero | tail -c 40000000 >/dev/null; wait; sleep 0.2";
    let exit = stage.run(&stage.sh(script)).await;
    assert!(exit.running >= Duration::from_millis(200), "{exit:?}");
    assert!(exit.usage.user > Duration::ZERO, "{exit:?}");
    assert!(exit.usage.peak_memory > 40_000_000, "{exit:?}");
    assert!(exit.started_at.elapsed().unwrap() >= exit.running);
}

#[tokio::test]
async fn a_time_limit_gives_every_process_of_the_tree_time_to_tidy_up() {
    let stage = Stage::new();
    let tidy = "trap 'echo tidy >>tidied; exit 0' TERM; sleep 600 & wait";
    let mut command = stage.sh(&format!("(setsid sh -c '{}') & {tidy}", tidy.replace('\'', "\"")));
    command.limits.time = Some(Duration::from_millis(300));
    let exit = stage.run(&command).await;
    assert_eq!((exit.status, exit.stopped), (Status::Exited(0), Some(Stopped::TimeLimit)));
    assert!(exit.running >= Duration::from_millis(300));
    assert_eq!(stage.read("tidied"), "tidy\ntidy\n");
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_after_the_grace_period() {
    let stage = Stage::new();
    let mut command = stage.sh("trap '' TERM; sleep 600 & wait; sleep 600; sleep 600");
    command.limits.time = Some(Duration::from_millis(100));
    command.limits.grace = Duration::from_millis(400);
    let exit = stage.run(&command).await;
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(9), Some(Stopped::TimeLimit)));
    assert!(exit.running >= Duration::from_millis(500));
}

#[tokio::test]
async fn a_stopped_command_ends_too() {
    let stage = Stage::new();
    let mut command = stage.sh("kill -STOP $$; sleep 600");
    command.limits.time = Some(Duration::from_millis(100));
    assert_eq!(stage.run(&command).await.status, Status::Signaled(15));
}

#[tokio::test]
async fn stop_asks_and_kill_does_not() {
    let stage = Stage::new();
    let waiting = "trap 'exit 5' TERM; touch ready; sleep 600 & wait";
    let mut process = stage.start(&stage.sh(waiting)).await;
    stage.appears("ready").await;
    process.stop();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Exited(5), Some(Stopped::Asked)));

    std::fs::remove_file(stage.path("ready")).unwrap();
    let mut process = stage.start(&stage.sh(waiting)).await;
    stage.appears("ready").await;
    process.kill();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(9), Some(Stopped::Asked)));
    stage.empties().await;
}

#[tokio::test]
async fn stopping_what_has_ended_does_not_stop_the_next_command() {
    let stage = Stage::new();
    let mut first = stage.start(&stage.sh("touch done")).await;
    stage.appears("done").await;
    stage.empties().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.stop(); // the reply is there already, unread
    assert_eq!(first.wait().await.unwrap().stopped, None);
    first.kill();
    let second = stage.run(&stage.sh("sleep 0.1")).await;
    assert_eq!((second.status, second.stopped), (Status::Exited(0), None));
}

#[tokio::test]
async fn waiting_can_be_given_up_and_taken_up_again() {
    let stage = Stage::new();
    let mut process = stage.start(&stage.sh("sleep 0.3; exit 4")).await;
    for _ in 0..10 {
        let _ = tokio::time::timeout(Duration::from_millis(10), process.wait()).await;
    }
    assert_eq!(process.wait().await.unwrap().status, Status::Exited(4));
}

#[tokio::test]
async fn readiness_is_a_byte_on_file_descriptor_3() {
    let stage = Stage::new();
    let mut command = stage.sh("printf x >&3; exec 3>&-; exit 1");
    command.announces_ready = true;
    assert!(stage.run(&command).await.ready);
    command.args[1] = "exit 1".into();
    assert!(!stage.run(&command).await.ready);
}

#[tokio::test]
async fn limits_without_end_are_none() {
    let stage = Stage::new();
    let mut command = stage.sh("touch ready; sleep 600");
    command.limits.time = Some(Duration::MAX);
    command.limits.grace = Duration::MAX;
    command.limits.log_bytes = u64::MAX;
    let mut process = stage.start(&command).await;
    stage.appears("ready").await;
    process.stop();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(15), Some(Stopped::Asked)));
}
