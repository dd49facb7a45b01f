//! Commands had from a template, and templates that do not do their part.

use std::sync::Arc;
use std::time::Duration;

use sortie_process::{Command, FromTemplate, RunError, Start, Status, Stopped, Template};

use crate::{Stage, eventually, marked, parent, signal};

const TEMPLATE: &str = include_str!("template.py");

/// `sh -c SCRIPT`, to be had from a template with that fault.
fn from_template(stage: &Stage, fault: &str, script: &str) -> Command {
    let command = stage.sh(script);
    let template = Template {
        program: "python3".into(),
        args: vec!["-c".into(), TEMPLATE.into(), fault.into()],
        // The template needs Python, which may be anywhere.
        env: [("PATH".into(), std::env::var_os("PATH").unwrap())]
            .into_iter()
            .chain(command.env.iter().filter(|(name, _)| name != "PATH").cloned())
            .collect(),
        cwd: command.cwd.clone(),
        cpus: command.cpus.clone(),
        most: 2,
        patience: Duration::from_secs(30),
        idle: Duration::from_secs(600),
        commands: 100,
        growth: 1 << 30,
    };
    let args = [vec!["sh".into()], command.args.clone()].concat();
    command.template(FromTemplate { template: Arc::new(template), args })
}

/// Runs it; of the stage's processes at most the template is left.
async fn run(stage: &Stage, command: &Command) -> (Start, Status) {
    let exit = stage.start(command).await.wait().await.unwrap();
    assert!(marked(&stage.mark()).len() <= 1, "processes were left");
    (exit.start, exit.status)
}

#[tokio::test]
async fn a_template_that_is_there_is_used_again() {
    let stage = Stage::new();
    let command = from_template(&stage, "", "echo run; exit 3");
    assert_eq!(run(&stage, &command).await, (Start::Fresh, Status::Exited(3)));
    assert_eq!(run(&stage, &command).await, (Start::Warm, Status::Exited(3)));
    assert_eq!(stage.read("out"), "run\nrun\n");
    // Nor does another command disturb it.
    let other = stage.start(&stage.sh("exit 4")).await.wait().await.unwrap();
    assert_eq!((other.start, other.status), (Start::Cold, Status::Exited(4)));
    assert_eq!(run(&stage, &command).await.0, Start::Warm);
}

#[tokio::test]
async fn a_template_at_fault_leaves_the_command_to_be_executed() {
    for (fault, reason) in [
        ("nonsense", "it says \"good morning\""),
        ("endless", "it hangs up"),
        ("hang up", "it hangs up"),
    ] {
        let stage = Stage::new();
        let command = from_template(&stage, fault, "echo run; exit 3");
        let (start, status) = run(&stage, &command).await;
        let Start::Fallback { reason: said } = &start else { panic!("{fault}: {start:?}") };
        assert!(said.starts_with(reason), "{fault}: {said}");
        assert_eq!((status, stage.read("out").as_str()), (Status::Exited(3), "run\n"), "{fault}");
        // For a while nobody asks it again.
        assert_eq!(run(&stage, &command).await, (start, status));
        assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
    }
}

#[tokio::test]
async fn a_template_that_gives_up_later_is_replaced_and_then_left_alone() {
    let stage = Stage::new();
    let command = from_template(&stage, "second", "echo run");
    assert_eq!(run(&stage, &command).await.0, Start::Fresh);
    let fallback = Start::Fallback { reason: "the second time".into() };
    assert_eq!(run(&stage, &command).await, (fallback, Status::Exited(0)));
    assert_eq!(stage.read("out"), "run\nrun\n");
}

#[tokio::test]
async fn a_command_that_dies_before_it_runs_has_died() {
    let stage = Stage::new();
    let command = from_template(&stage, "impatient", "echo run");
    assert_eq!(run(&stage, &command).await, (Start::Fresh, Status::Signaled(9)));
}

#[tokio::test]
async fn a_command_is_lost_with_its_template_while_it_runs() {
    for fault in ["dies", "babbles"] {
        let stage = Stage::new();
        let mut process =
            stage.start(&from_template(&stage, fault, "touch ready; sleep 600 & sleep 600")).await;
        let lost = process.wait().await.unwrap_err();
        assert!(matches!(lost, RunError::Lost { .. }), "{fault}: {lost}");
        assert_eq!(marked(&stage.mark()), [] as [i32; 0], "{fault}: told before all was over");
        // Another reaper is there for the next one.
        let other = stage.start(&stage.sh("exit 4")).await.wait().await.unwrap();
        assert_eq!(other.status, Status::Exited(4));
    }
}

#[tokio::test]
async fn the_last_word_of_a_template_counts() {
    let stage = Stage::new();
    let command = from_template(&stage, "brief", "exit 3");
    for _ in 0..20 {
        assert_eq!(run(&stage, &command).await, (Start::Fresh, Status::Exited(3)));
        eventually("the template to end", || marked(&stage.mark()).is_empty()).await;
    }
}

#[tokio::test]
async fn a_command_of_whose_end_nothing_was_told_is_lost_with_what_it_left() {
    let stage = Stage::new();
    let command = from_template(&stage, "mute", "sleep 600 & exit 3");
    let lost = stage.start(&command).await.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}

#[tokio::test]
async fn how_a_command_ended_is_known_though_its_template_hangs() {
    let stage = Stage::new();
    let ran = run(&stage, &from_template(&stage, "deaf", "exit 3")).await;
    assert_eq!(ran, (Start::Fresh, Status::Exited(3)));
    let mut command = from_template(&stage, "deaf", "sleep 600");
    command.limits.time = Some(Duration::from_millis(500));
    command.limits.grace = Duration::from_millis(10);
    let exit = stage.start(&command).await.wait().await.unwrap();
    assert_eq!((exit.stopped, exit.status), (Some(Stopped::TimeLimit), Status::Signaled(15)));
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_ended_and_its_usage_told() {
    let stage = Stage::new();
    let script = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 600 & exit 3";
    let command = from_template(&stage, "", script);
    for start in [Start::Fresh, Start::Warm] {
        let exit = stage.start(&command).await.wait().await.unwrap();
        assert_eq!((&exit.start, exit.status), (&start, Status::Exited(3)));
        assert_eq!(exit.stragglers, 1);
        assert!(exit.usage.user > Duration::from_millis(1), "{exit:?}");
        assert!(exit.usage.peak_memory > 100_000, "{exit:?}");
        assert_eq!(marked(&stage.mark()).len(), 1, "the template alone");
    }
}

#[tokio::test]
async fn supervisors_apart_share_no_template() {
    let stage = Stage::new();
    let other = stage.supervisor.apart();
    let command = from_template(&stage, "", "exit 3");
    let template = |known: &[i32]| {
        let pids: Vec<_> =
            marked(&stage.mark()).into_iter().filter(|pid| !known.contains(pid)).collect();
        assert_eq!(pids.len(), 1, "{pids:?}");
        pids[0]
    };
    assert_eq!(run(&stage, &command).await.0, Start::Fresh);
    let first = template(&[]);
    let exit =
        other.spawn(&command, crate::files(&stage.logs())).await.unwrap().wait().await.unwrap();
    assert_eq!(exit.start, Start::Fresh);
    let second = template(&[first]);
    let spawn_server = |template| parent(parent(template).unwrap()).unwrap();
    assert_eq!(spawn_server(first), spawn_server(second));
    drop(other);
    eventually("the other's template to end", || marked(&stage.mark()) == [first]).await;
    assert_eq!(run(&stage, &command).await.0, Start::Warm);
}

#[tokio::test]
async fn large_requests_arrive_whole() {
    let stage = Stage::new();
    let mut command = from_template(&stage, "", "shift 9; echo $# $9 | head -c 40");
    let from = command.template.as_mut().unwrap();
    from.args.push("sh".into());
    from.args.extend((0..10_000).map(|n| format!("{n:0>100}").into()));
    for start in [Start::Fresh, Start::Warm] {
        assert_eq!(run(&stage, &command).await, (start, Status::Exited(0)));
    }
    assert!(stage.read("out").starts_with("9991 0000000"), "{}", stage.read("out"));
}

#[tokio::test]
async fn a_killed_reaper_takes_its_template_along() {
    let stage = Stage::new();
    let mut process =
        stage.start(&from_template(&stage, "", "trap '' TERM; touch ready; sleep 600")).await;
    stage.appears("ready").await;
    let template = marked(&stage.mark())[0];
    signal("KILL", crate::parent(template).unwrap());
    let lost = process.wait().await.unwrap_err();
    assert!(matches!(lost, RunError::Lost { .. }), "{lost}");
    assert_eq!(marked(&stage.mark()), [] as [i32; 0], "told before all was over");
}
