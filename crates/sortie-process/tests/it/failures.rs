//! Commands that cannot be started, and launchers short of means.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

use nix::sys::resource::{Resource, setrlimit};
use sortie_process::{Command, Files, Process, RunError, SpawnError, Status, Supervisor};

use crate::Stage;

async fn not_started(stage: &Stage, command: &Command) -> String {
    let mut process = stage.start(command).await;
    let error = process.wait().await.unwrap_err();
    assert!(matches!(error, RunError::NotStarted { .. }), "{error}");
    assert_eq!(process.wait().await.unwrap_err().to_string(), error.to_string());
    error.to_string()
}

#[tokio::test]
async fn what_cannot_be_executed_says_why() {
    let stage = Stage::new();
    let mut command = stage.sh("");
    command.program = "no-such-program".into();
    let message = not_started(&stage, &command).await;
    assert!(message.contains("\"no-such-program\""), "{message}");
    assert!(message.contains("No such file"), "{message}");

    let text = stage.path("text");
    fs::write(&text, "not a program").unwrap();
    command.program = text.clone().into();
    assert!(not_started(&stage, &command).await.contains("cannot execute: Permission denied"));
    fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(not_started(&stage, &command).await.contains("Exec format error"));
    fs::write(&text, "#!/no/such/interpreter\n").unwrap();
    assert!(not_started(&stage, &command).await.contains("No such file"));

    command = stage.sh("exit 0");
    for missing in [1023, 5000] {
        command.cpus = vec![missing];
        let message = not_started(&stage, &command).await;
        assert!(message.contains("bind it to its CPUs: Invalid argument"), "{message}");
    }
    command.cpus.clear();
    command.cwd = stage.path("missing");
    let message = not_started(&stage, &command).await;
    assert!(message.contains("enter the working directory"), "{message}");

    command = stage.sh("exit 0");
    command.args.push("x".repeat(200_000).into());
    assert!(not_started(&stage, &command).await.contains("Argument list too long"));
    // None of which harms the next command.
    assert_eq!(stage.run(&stage.sh("exit 6")).await.status, Status::Exited(6));
}

#[tokio::test]
async fn a_large_command_line_arrives_whole() {
    let stage = Stage::new();
    let mut command = stage.sh("shift 9; echo $# $9 | head -c 40");
    command.args.push("sh".into());
    command.args.extend((0..10_000).map(|n| format!("{n:0>100}").into()));
    assert_eq!(stage.run(&command).await.status, Status::Exited(0));
    assert!(stage.read("out").starts_with("9991 0000000"), "{}", stage.read("out"));
}

#[tokio::test]
async fn a_nul_is_refused_with_its_place() {
    let stage = Stage::new();
    let mut command = stage.sh("exit 0");
    command.args.push("a\0b".into());
    let error = stage.supervisor.spawn(&command, crate::files(&stage.logs())).await.unwrap_err();
    assert!(matches!(&error, SpawnError::Nul(text) if text == "a\0b"), "{error}");
    assert!(error.to_string().contains(r#""a\0b""#), "{error}");
}

#[tokio::test]
async fn a_helper_that_is_none_is_an_error_and_not_a_hang() {
    let stage = Stage::new();
    for (program, problem) in [("/bin/true", "end of file"), ("/no/such/helper", "No such file")] {
        let supervisor = Supervisor::with_helper(program);
        let error =
            supervisor.spawn(&stage.sh("exit 0"), crate::files(&stage.logs())).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains(program) && message.contains(problem), "{message}");
    }
    let supervisor = Supervisor::with_helper(std::env::current_exe().unwrap());
    assert_eq!(supervisor.protections().await.unwrap().len(), 5);
}

#[tokio::test]
async fn the_limit_of_open_files_is_an_error_that_passes() {
    if !crate::is_alone("failures::the_limit_of_open_files_is_an_error_that_passes") {
        return;
    }
    let stage = Stage::new();
    stage.run(&stage.sh("exit 0")).await;
    setrlimit(Resource::RLIMIT_NOFILE, 40, 40).unwrap();
    let mut running = Vec::new();
    let error = loop {
        match start_one(&stage).await {
            Ok(process) => running.push(process),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("Too many open files"), "{error}");
    assert!(running.len() > 10);
    for mut process in running {
        process.kill();
        process.wait().await.unwrap();
    }
    assert_eq!(stage.run(&stage.sh("exit 4")).await.status, Status::Exited(4));
}

async fn start_one(stage: &Stage) -> Result<Process, Box<dyn std::error::Error>> {
    let log = File::create("/dev/null")?;
    let files = Files { stdout: log.as_fd(), stderr: log.as_fd(), hold: None };
    Ok(stage.supervisor.spawn(&stage.sh("sleep 600"), files).await?)
}
