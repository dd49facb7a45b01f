//! Command lines and settings that are wrong: one error, a hint, status 2, nothing run.

use std::fs;

use sortie::exit_status::SETUP;

use crate::stage::{Ran, SHELL, Stage, ran};

fn with_settings(settings: &str) -> Ran {
    let stage = Stage::shell(": > ran", "");
    stage.write("job.yaml", settings);
    let ran = stage.run();
    assert!(!stage.path("ran").exists() && !stage.path("results").exists());
    ran
}

#[test]
fn wrong_command_lines() {
    let stage = Stage::empty();
    let cases: [(&[&str], &str); 5] = [
        (&[], "Usage: sortie"),
        (&["walk"], "error: unrecognized subcommand 'walk'"),
        (&["run", "--config", "job.yaml", "candidate.py"], "<RESULTS_DIR>"),
        (&["render", "candidate.py", "results"], "name a file with --config"),
        (&["check", "--confg", "job.yaml"], "a similar argument exists: '--config'"),
    ];
    for (args, said) in cases {
        let ran = ran(&mut stage.sortie(args));
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(SETUP.into()), ""), "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let stage = Stage::empty();
    let said = |args: &[&str]| {
        let ran = ran(&mut stage.sortie(args));
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        ran.stdout
    };
    assert_eq!(said(&["--version"]), format!("sortie {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["run", "attach", "render", "check", "clean", "report"] {
        let help = said(&[command, "--help"]);
        let args = if command == "report" { "" } else { "--config job.yaml" };
        assert!(help.contains(&format!("Example:\n  sortie {command} {args}")));
        assert!(help.lines().skip_while(|line| !line.is_empty()).count() > 10, "{help}");
        assert!(said(&["--help"]).contains(&format!("\n  {command} ")));
    }
}

#[test]
fn wrong_settings() {
    let cases = [
        ("job_type: local\ntmie: 30\n", "job.yaml:2:1: unknown field `tmie`, did you mean `time`?"),
        ("job_type: [\n", "job.yaml:"),
        ("", "job.yaml:"),
        (
            "job_type: local\nconda_env: a\nactivate_script: b\n",
            "`conda_env` and `activate_script` are mutually exclusive",
        ),
        ("job_type: local\nlimits: {grace_seconds: -1}\n", "job.yaml:2:25: `limits.grace_seconds`"),
    ];
    for (settings, said) in cases {
        let ran = with_settings(settings);
        ran.is_error(SETUP, said);
        assert!(ran.stderr.contains("\nhint: "), "{ran:?}");
    }
}

#[test]
fn settings_that_are_not_there() {
    let stage = Stage::empty();
    stage.run().is_error(SETUP, "job.yaml: cannot read: ");
    fs::create_dir(stage.path("job.yaml")).unwrap();
    stage.run().is_error(SETUP, "job.yaml: cannot read: ");
}

#[test]
fn what_a_job_needs_and_is_not_there() {
    let cases = [
        (SHELL.replace("evaluate.sh", "none.sh"), "the evaluator none.sh cannot be read"),
        (SHELL.replace(": sh", ": none"), "the interpreter none is not on PATH"),
        (SHELL.replace("python_executable: sh", "conda_env: no-such-env"), "no-such-env"),
        (
            SHELL.replace("python_executable: sh", "activate_script: none.sh"),
            "none.sh cannot be read",
        ),
        (format!("{SHELL}environment: {{set: {{PATH: /none}}}}\n"), "is not on PATH"),
    ];
    for (settings, said) in cases {
        let stage = Stage::shell(": > ran", "");
        stage.write("job.yaml", settings);
        let ran = stage.run();
        assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
        let (kind, fault, _) = ran.verdict();
        assert_eq!((kind.as_str(), fault.as_deref()), ("not_started", Some("setup")));
        ran.says_error(said);
        assert!(!stage.path("ran").exists());
    }
}

#[test]
fn a_candidate_that_is_not_there() {
    let stage = Stage::shell(": > ran", "");
    fs::remove_file(stage.path("candidate.py")).unwrap();
    let ran = stage.run();
    assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
    ran.says_error("the candidate candidate.py cannot be read");
    assert!(!stage.path("ran").exists());
}

#[test]
fn directories_that_are_not_there() {
    let stage = Stage::shell(": > ran", "");
    let commands: [&[&str]; 11] = [
        &["status", "none"],
        &["wait", "none"],
        &["results", "none"],
        &["cancel", "none"],
        &["logs", "none"],
        &["ls", "none"],
        &["report", "none"],
        &["report", "job.yaml"],
        &["attach", "--config", "job.yaml", "none"],
        &["sweep", "--resume", "none"],
        &["init", "--output", "none/job.yaml"],
    ];
    for args in commands {
        let ran = ran(&mut stage.sortie(args));
        ran.is_error(SETUP, "");
        assert_eq!(ran.stderr.matches("\nhint: ").count(), 1, "{args:?}: {ran:?}");
    }
}

#[test]
fn candidates_that_are_not_there() {
    let stage = Stage::shell(": > ran", "");
    for candidates in [&[][..], &["none"], &["none*"]] {
        let sweep = ["sweep", "--config", "job.yaml", "--out", "out"];
        let ran = ran(stage.sortie(sweep).args(candidates));
        ran.is_error(SETUP, "");
        assert!(ran.stderr.contains("\nhint: name files, "), "{ran:?}");
    }
}

#[test]
fn results_dirs_that_cannot_be_written() {
    let stage = Stage::shell(": > ran", "");
    stage.write("file", "");
    for dir in ["file", "file/below", "/proc/sortie"] {
        let ran = ran(&mut stage.sortie(["run", "-c", "job.yaml", "candidate.py", dir]));
        assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
        let (kind, fault, _) = ran.verdict();
        assert_eq!((kind.as_str(), fault.as_deref()), ("not_started", Some("setup")));
        ran.says_error(dir);
        assert!(!stage.path("ran").exists());
    }
}

#[test]
fn without_containers_there_is_nothing_to_clean() {
    let ran = ran(&mut Stage::shell("", "").sortie(["clean", "--config", "job.yaml"]));
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn an_engine_that_is_not_there_cannot_be_cleaned() {
    let stage = Stage::empty();
    stage.write("job.yaml", "job_type: local_docker\n");
    let mut clean = stage.sortie(["clean", "--config", "job.yaml"]);
    ran(clean.env("PATH", "/no/such/dir")).is_error(SETUP, "cannot run");
}
