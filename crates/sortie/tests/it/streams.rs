//! What is printed where, and what if it cannot be.

use std::fs::File;
use std::process::Stdio;

use sortie::exit_status::INFRASTRUCTURE;

use crate::stage::{self, Stage, ended, ran};

#[test]
fn piped_there_is_only_the_json() {
    let ran = Stage::shell(stage::CORRECT, "").run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.results()["correct"].as_bool(), Some(true));
}

#[test]
fn piped_there_are_no_escape_codes() {
    let stage = Stage::shell("", "");
    std::fs::remove_file(stage.path("evaluate.sh")).unwrap();
    let job = ["-v", "--config", "job.yaml", "candidate.py", "results"];
    let commands = [("run", &job[..]), ("render", &job), ("check", &job[..3]), ("--help", &[])];
    for (command, args) in commands {
        let ran = ran(&mut stage.sortie([&[command], args].concat()));
        assert!(!(ran.stdout + &ran.stderr).contains('\x1b'), "{command}");
    }
}

#[test]
fn colours_can_be_forced_and_taken_out() {
    let stage = Stage::shell("", "");
    let mut check = stage.sortie(["check", "--config", "job.yaml"]);
    let forced = ran(check.env("CLICOLOR_FORCE", "1"));
    assert!(forced.stdout.contains("\x1b[1m\x1b[32mok"), "{forced:?}");
    let plain = ran(check.env("NO_COLOR", "1"));
    assert!(!plain.stdout.contains('\x1b'), "{plain:?}");
}

#[test]
fn a_standard_output_that_takes_nothing_is_an_error() {
    let stage = Stage::shell(stage::CORRECT, "");
    let job = ["--config", "job.yaml", "candidate.py", "results"];
    let commands =
        [("run", &job[..]), ("render", &job), ("check", &job[..2]), ("--help", &[]), ("help", &[])];
    for (command, args) in commands {
        for target in ["/dev/full", "a closed pipe"] {
            let stdout = match target {
                "/dev/full" => Stdio::from(File::options().write(true).open(target).unwrap()),
                _ => Stdio::from(std::io::pipe().unwrap().1),
            };
            let mut tool = stage.sortie([&[command], args].concat());
            let ran = ended(tool.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap());
            assert_eq!(ran.status, Some(INFRASTRUCTURE.into()), "{command}, {target}: {ran:?}");
            ran.says_error("cannot write to standard output: ");
        }
    }
    assert!(stage.path("results/job.json").exists());
}

#[test]
fn of_several_it_is_said_once_that_they_cannot_be_printed() {
    let stage = Stage::shell(stage::CORRECT, "");
    assert_eq!(stage.run().status, Some(0));
    for command in ["status", "wait", "results", "cancel"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut tool = stage.sortie([command, "results", "results"]);
        let ran = ended(tool.stdout(full).stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!(ran.status, Some(INFRASTRUCTURE.into()), "{command}: {ran:?}");
        ran.says_error("cannot write to standard output: ");
    }
}

#[test]
fn of_a_list_its_reader_may_take_as_much_as_they_want() {
    let stage = Stage::shell(&format!("echo said\n{}", stage::CORRECT), "");
    assert_eq!(stage.run().status, Some(0));
    for args in [["status", "results"], ["results", "results"], ["ls", "."], ["logs", "results"]] {
        let mut tool = stage.sortie(args);
        let closed = std::io::pipe().unwrap().1;
        let ran = ended(tool.stdout(closed).stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(128 + 13), ""), "{args:?}");
    }
}

#[test]
fn a_standard_error_that_takes_nothing_is_none() {
    let stage = Stage::empty();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let tool = stage.run_command().stdout(Stdio::piped()).stderr(full).spawn().unwrap();
    assert_eq!(ended(tool).status, Some(2));
}

#[test]
fn warnings_need_not_be_asked_for() {
    let ran = Stage::shell("rm -r \"$4\" .sortie", "").run();
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("WARN") && ran.stderr.contains("not recorded: "), "{ran:?}");
}

#[test]
fn tracing_goes_to_standard_error() {
    let stage = Stage::shell(stage::CORRECT, "");
    let verbose = ran(stage.run_command().arg("--verbose"));
    assert_eq!(verbose.results()["correct"].as_bool(), Some(true));
    for said in
        ["INFO", "job{name=results attempt=", "started command=", "ended outcome=exit code 0"]
    {
        assert!(verbose.stderr.contains(said), "{said}: {verbose:?}");
    }
    let finer = ran(stage.run_command().env("RUST_LOG", "sortie_process=debug"));
    assert!(finer.stderr.contains("helper process started"), "{finer:?}");
    assert!(!finer.stderr.contains("started command="), "{finer:?}");
    let wrong = ran(stage.run_command().env("RUST_LOG", "a=b=c"));
    wrong.is_error(2, "RUST_LOG is `a=b=c`: ");
}
