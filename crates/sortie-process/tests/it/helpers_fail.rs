//! The helper processes run into a limit: what they could not do, and why, is told.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use sortie_process::{RunError, SpawnError, Status, Supervisor};

use crate::{Stage, marked};

/// A stage whose helper processes may have so many open files.
fn with_files(most: u32) -> Stage {
    let mut stage = Stage::new();
    let helper = stage.path("helper");
    let program = env::current_exe().unwrap();
    let script = format!("#!/bin/sh\nulimit -n {most}\nexec '{}' \"$@\"\n", program.display());
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    stage.supervisor = Supervisor::with_helper(helper);
    stage
}

#[tokio::test]
async fn a_spawn_server_that_cannot_start_says_why() {
    let stage = with_files(5);
    let error =
        stage.supervisor.spawn(&stage.sh("exit 0"), crate::files(&stage.logs())).await.unwrap_err();
    assert!(matches!(error, SpawnError::Helper { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("cannot open /dev/null: "), "{error}");
    assert!(error.contains("Too many open files (os error 24)"), "{error}");
}

#[tokio::test]
async fn a_reaper_that_fails_says_why() {
    let stage = with_files(8);
    let error = stage.start(&stage.sh("exit 0")).await.wait().await.unwrap_err();
    assert!(matches!(error, RunError::Lost { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("cannot receive the command's files: "), "{error}");
    assert!(error.contains("Too many open files (os error 24)"), "{error}");
}

#[tokio::test]
async fn a_spawn_server_that_cannot_have_more_reapers_says_why_and_keeps_those_it_has() {
    let stage = with_files(20);
    let command = stage.sh("while [ ! -e end ]; do sleep 0.05; done; exit 3");
    let mut handed_over = Vec::new();
    let mut errors = Vec::new();
    for _ in 0..30 {
        match stage.supervisor.spawn(&command, crate::files(&stage.logs())).await {
            Ok(process) => handed_over.push(process),
            Err(error) => errors.push(error.to_string()),
        }
    }
    fs::write(stage.path("end"), "").unwrap();
    let mut ended = 0;
    for mut process in handed_over {
        match process.wait().await {
            Ok(exit) => {
                assert_eq!(exit.status, Status::Exited(3));
                ended += 1;
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert!(ended > 5 && errors.len() > 5, "{ended} {errors:?}");
    for error in errors {
        assert!(error.contains("cannot receive a helper's socket: "), "{error}");
        assert!(error.contains("(os error 24)"), "{error}");
    }
    assert_eq!(stage.run(&stage.sh("exit 4")).await.status, Status::Exited(4));
    assert_eq!(marked(&stage.mark()), [] as [i32; 0]);
}
