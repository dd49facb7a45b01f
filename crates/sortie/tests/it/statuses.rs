//! What a job comes to, as the exit status says it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use sortie::exit_status::{CORRECT, INFRASTRUCTURE, NOT_CORRECT, SETUP};

use crate::stage::{self, Stage};

/// Runs an evaluator: its exit status, kind of outcome, fault and detail.
fn verdict(evaluator: &str, settings: &str) -> (u8, String, Option<String>, String) {
    let stage = Stage::shell(evaluator, settings);
    let ran = stage.run();
    stage.is_empty();
    let (kind, fault, detail) = ran.verdict();
    assert_eq!(ran.stderr, "", "{ran:?}");
    (u8::try_from(ran.status.unwrap()).unwrap(), kind, fault, detail)
}

#[test]
fn correct() {
    let expected = (CORRECT, "exited".into(), None, String::new());
    assert_eq!(verdict(stage::CORRECT, ""), expected);
}

#[test]
fn judged_not_correct_is_nobodys_fault() {
    let evaluator = stage::CORRECT.replace("true", "false");
    assert_eq!(verdict(&evaluator, ""), (NOT_CORRECT, "exited".into(), None, String::new()));
}

#[test]
fn the_candidates_faults() {
    let fault = || Some("candidate".to_owned());
    let cases = [
        ("exit 3", "", "exited", "exit code 3"),
        ("kill -SEGV $$", "", "signaled", "killed by SIGSEGV"),
        ("", "", "exited", "correct.json is missing; metrics.json is missing"),
        ("sleep 600", "time: '00:00:01'\n", "timed_out", "stopped at its time limit of 1 s"),
        (
            "exec yes",
            "limits: {max_log_bytes: 1000}\n",
            "output_limit",
            "stopped because a log grew beyond 1000 bytes",
        ),
    ];
    for (evaluator, settings, kind, detail) in cases {
        let expected = (NOT_CORRECT, kind.to_owned(), fault(), detail.to_owned());
        assert_eq!(verdict(evaluator, settings), expected, "{evaluator}");
    }
}

#[test]
fn what_the_user_has_to_mend_is_said_on_standard_error_too() {
    let stage = Stage::shell("", "");
    std::fs::remove_file(stage.path("evaluate.sh")).unwrap();
    let ran = stage.run();
    assert_eq!(ran.status, Some(SETUP.into()));
    let (kind, fault, detail) = ran.verdict();
    assert_eq!((kind.as_str(), fault.as_deref()), ("not_started", Some("setup")));
    assert!(detail.contains("the evaluator evaluate.sh cannot be read"), "{detail}");
    ran.says_error(&detail);
    assert!(ran.stderr.contains("\nhint: "), "{ran:?}");
}

#[test]
fn a_machine_out_of_files_is_infrastructure() {
    let stage = Stage::shell(stage::CORRECT, "");
    // Enough to start, not enough for the logs, the helper's sockets and so on.
    let limited = r#"ulimit -n 12 && exec "$0" run --config job.yaml candidate.py results"#;
    let ran = stage::ran(stage.command("sh").args(["-c", limited, env!("CARGO_BIN_EXE_sortie")]));
    assert_eq!(ran.status, Some(INFRASTRUCTURE.into()), "{ran:?}");
    assert_eq!(ran.verdict().1.as_deref(), Some("infrastructure"), "{ran:?}");
    ran.says_error("not started: ");
}

#[test]
fn however_few_files_there_may_be_it_is_an_error_and_no_panic() {
    let stage = Stage::shell(stage::CORRECT, "");
    let limited = r#"ulimit -n "$1" && shift && exec "$0" "$@""#;
    let tool = env!("CARGO_BIN_EXE_sortie");
    for files in 6..=11 {
        for command in ["run", "check", "clean"] {
            let files = files.to_string();
            let args = ["-c", limited, tool, &files, command, "--config", "job.yaml"];
            let job = ["candidate.py", "results"];
            let job = if command == "run" { &job[..] } else { &[] };
            let ran = stage::ran(stage.command("sh").args(args).args(job));
            // 2, too, as what cannot be opened cannot be checked.
            assert!(matches!(ran.status, Some(0 | 2 | 3)), "{files}: {ran:?}");
            assert!(!ran.stderr.contains("panicked"), "{files}: {ran:?}");
        }
    }
}

/// Runs a job as somebody whom limits and permissions hold, after setting a limit.
pub(crate) fn run_unprivileged(stage: &Stage, limit: &str) -> stage::Ran {
    unprivileged(stage, limit, "run --config job.yaml candidate.py results")
}

/// Runs the tool so with these arguments.
fn unprivileged(stage: &Stage, limit: &str, args: &str) -> stage::Ran {
    fs::set_permissions(stage.dir(), fs::Permissions::from_mode(0o777)).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let somebody = if is_root { nobody } else { "" };
    // By a descriptor, as others might not reach the tool by its path.
    let run = format!("exec /proc/self/fd/9 {args}");
    let command = format!("exec 9<\"$0\" {somebody} bash -c '{limit}; {run}'");
    stage::ran(stage.command("sh").args(["-c", &command, env!("CARGO_BIN_EXE_sortie")]))
}

#[test]
fn a_machine_out_of_processes_is_infrastructure() {
    let ran = run_unprivileged(&Stage::shell(stage::CORRECT, ""), "ulimit -u 1");
    assert_eq!(ran.status, Some(INFRASTRUCTURE.into()), "{ran:?}");
    assert_eq!(ran.verdict().1.as_deref(), Some("infrastructure"), "{ran:?}");
    ran.says_error("not started: ");
}

#[test]
fn a_machine_out_of_threads_is_told_of_a_sweep() {
    // What is there for the first thread, and for those after it.
    for processes in 1..=4 {
        let stage = Stage::shell(stage::CORRECT, "");
        let limit = format!("ulimit -u {processes}");
        let args = "sweep --config job.yaml --out out candidate.py";
        let ran = unprivileged(&stage, &limit, args);
        assert_eq!(ran.status, Some(INFRASTRUCTURE.into()), "{limit}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "{limit}: {ran:?}");
        if processes == 1 {
            assert!(ran.stderr.contains("error: cannot start a thread for "), "{ran:?}");
            assert!(ran.stderr.contains("no more processes (`ulimit -u`)"), "{ran:?}");
        }
    }
}

#[test]
fn what_may_not_be_read_is_for_the_user_to_mend() {
    for file in ["evaluate.sh", "candidate.py"] {
        let stage = Stage::shell(stage::CORRECT, "");
        fs::set_permissions(stage.path(file), fs::Permissions::from_mode(0o000)).unwrap();
        let ran = run_unprivileged(&stage, ":");
        assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
        ran.says_error("not started: the ");
        assert!(
            ran.stderr.contains(&format!("{file} cannot be read: Permission denied")),
            "{ran:?}"
        );
    }
}
