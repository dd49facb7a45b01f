//! Short commands run for what they print.

use std::time::{Duration, Instant};

use sortie_process::{CaptureError, Command, RunError, Status, Stopped};

use crate::{Stage, marked};

async fn capture(
    stage: &Stage,
    command: &Command,
    input: &[u8],
) -> (sortie_process::Exit, String, String) {
    let captured = stage.supervisor.capture(command, input).await.unwrap();
    assert_eq!(marked(&stage.mark()), [] as [i32; 0], "processes were left");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (captured.exit, text(captured.stdout), text(captured.stderr))
}

#[tokio::test]
async fn input_goes_in_and_both_outputs_come_back_apart() {
    let stage = Stage::new();
    let command = stage.sh("cat; echo err >&2; exit 3");
    let (exit, out, err) = capture(&stage, &command, b"first\nlast").await;
    assert_eq!(
        (exit.status, out.as_str(), err.as_str()),
        (Status::Exited(3), "first\nlast", "err\n")
    );
    let (_, out, _) = capture(&stage, &command, b"").await;
    assert_eq!(out, "");
    // The next command, on the same reaper, has nothing to read.
    let exit = stage.run(&stage.sh("cat")).await;
    assert_eq!((exit.status, stage.read("out").as_str()), (Status::Exited(0), ""));
}

#[tokio::test]
async fn input_and_output_larger_than_any_pipe_block_nobody() {
    let stage = Stage::new();
    let input = vec![b'x'; 3_000_000];
    let captured = stage.supervisor.capture(&stage.sh("cat | cat"), &input).await.unwrap();
    assert_eq!(captured.stdout, input);
    let ignored = stage.supervisor.capture(&stage.sh("exit 4"), &input).await.unwrap();
    assert_eq!(ignored.exit.status, Status::Exited(4));
}

#[tokio::test]
async fn a_hanging_command_is_stopped_with_its_whole_tree_and_what_it_said_is_kept() {
    let stage = Stage::new();
    let mut command = stage.sh("echo so far; setsid sleep 600 & sleep 600");
    command.limits.time = Some(Duration::from_millis(300));
    let (exit, out, _) = capture(&stage, &command, b"").await;
    assert_eq!((exit.stopped, out.as_str()), (Some(Stopped::TimeLimit), "so far\n"));
}

#[tokio::test]
async fn what_is_left_behind_with_the_output_open_is_not_waited_for() {
    let stage = Stage::new();
    let begun = Instant::now();
    let (exit, out, _) = capture(&stage, &stage.sh("sleep 600 & echo done"), b"").await;
    assert_eq!((exit.stragglers, out.as_str()), (1, "done\n"));
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_flood_is_cut_at_the_limit() {
    let stage = Stage::new();
    let mut command = stage.sh("exec yes");
    command.limits.log_bytes = 10_000;
    let (exit, out, _) = capture(&stage, &command, b"").await;
    assert_eq!((exit.stopped, out.len()), (Some(Stopped::LogLimit), 10_000));
}

#[tokio::test]
async fn giving_up_on_a_command_kills_it() {
    let stage = Stage::new();
    let command = stage.sh("touch ready; sleep 600");
    tokio::select! {
        _ = stage.supervisor.capture(&command, b"") => panic!("it slept for ten minutes"),
        () = stage.appears("ready") => {}
    }
    stage.empties().await;
}

#[tokio::test]
async fn a_missing_program_is_an_error() {
    let stage = Stage::new();
    let mut command = stage.sh("");
    command.program = "no-such-program".into();
    let error = stage.supervisor.capture(&command, b"").await.unwrap_err();
    assert!(matches!(error, CaptureError::Run(RunError::NotStarted { .. })), "{error}");
}
