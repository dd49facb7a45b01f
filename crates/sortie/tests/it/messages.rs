//! Messages that name what is meant, and hints that can be copied as they are.

use sortie::exit_status::SETUP;

use crate::stage::{self, Stage, ran};

#[test]
fn a_setting_given_as_an_option() {
    let stage = Stage::shell(stage::CORRECT, "");
    for (args, setting) in [
        (&["run", "--time", "5", "-c", "job.yaml", "candidate.py", "out"][..], "time"),
        (&["run", "--time=5", "-c", "job.yaml", "candidate.py", "out"], "time"),
        (&["-v", "sweep", "-c", "job.yaml", "-o", "out", "--conda-env", "x", "c"], "conda_env"),
        (&["check", "-c", "job.yaml", "--limits.grace_seconds", "2"], "limits.grace_seconds"),
        (&["submit", "--partition=a", "candidate.py", "out"], "partition"),
    ] {
        let ran = ran(&mut stage.sortie(args));
        ran.is_error(SETUP, &format!("is not an option: `{setting}` is a setting"));
        assert!(ran.stderr.contains(&format!("hint: write `--set {setting}=VALUE`")), "{ran:?}");
        assert!(!ran.stderr.contains("-- --"), "{ran:?}");
    }
    // Of others clap says what is wrong, as ever.
    for args in [&["status", "--time", "5", "out"][..], &["run", "--tmie", "5"]] {
        let ran = ran(&mut stage.sortie(args));
        assert!(ran.stderr.contains("unexpected argument"), "{ran:?}");
    }
}

#[test]
fn a_results_dir_that_is_a_file() {
    let stage = Stage::shell(stage::CORRECT, "");
    stage.write("file", "");
    let path = stage.path("file").display().to_string();
    for (dir, name) in [("file", path.as_str()), ("file/x", path.as_str())] {
        let run = ran(&mut stage.sortie(["run", "-c", "job.yaml", "candidate.py", dir]));
        assert_eq!(run.status, Some(SETUP.into()));
        assert!(run.stderr.contains(&format!("{name} is a file, not a directory")), "{run:?}");
    }
    for command in ["status", "wait", "results", "logs", "cancel"] {
        ran(&mut stage.sortie([command, "file"]))
            .is_error(SETUP, "file is a file, not a directory");
    }
}

#[test]
fn lists_of_windows_are_read_and_wrong_lines_told() {
    let stage = Stage::shell(stage::CORRECT, "");
    stage.write("b.py", "");
    let lines = "\u{feff}{\"candidate\": \"candidate.py\"}\r\n\r\n{\"candidate\": \"b.py\"}\r\n";
    stage.write("list.jsonl", lines);
    stage.write("list.txt", "\u{feff}candidate.py\r\nb.py\r\n\r\n");
    let sweep = |out: &str| {
        let mut command = stage.sortie(["sweep", "-c", "job.yaml", "-o", out]);
        command.arg("--json");
        command
    };
    let read = ran(sweep("a").args(["--jsonl", "list.jsonl"]));
    assert_eq!(
        (read.status, read.stdout.contains("\"candidates\":2")),
        (Some(0), true),
        "{read:?}"
    );
    let list = std::fs::File::open(stage.path("list.txt")).unwrap();
    let read = ran(sweep("b").arg("-").stdin(list));
    assert_eq!(
        (read.status, read.stdout.contains("\"candidates\":2")),
        (Some(0), true),
        "{read:?}"
    );
    stage.write("list.jsonl", "{\"candidate\": \"candidate.py\"}\n{\"path\": \"b.py\"}\n");
    let wrong = ran(sweep("c").args(["--jsonl", "list.jsonl"]));
    wrong.is_error(SETUP, "list.jsonl:2: unknown member `path`");
    assert!(wrong.stderr.contains("hint: a line is an object such as {\"candidate\""), "{wrong:?}");
    assert!(!wrong.stderr.contains("quoted patterns"), "{wrong:?}");
}

#[test]
fn logs_of_a_candidate_that_is_not_there() {
    let stage = Stage::shell(stage::CORRECT, "");
    for name in ["bad", "good", "better"] {
        stage.write(format!("c/{name}.py"), "");
    }
    assert_eq!(
        ran(&mut stage.sortie(["sweep", "-c", "job.yaml", "-o", "s 1", "c"])).status,
        Some(0)
    );
    let few = ran(&mut stage.sortie(["logs", "s 1", "goood"]));
    few.is_error(SETUP, "s 1: no candidate has the id `goood`");
    assert!(few.stderr.contains("hint: the ids are `good`, `bad`, `better`\n"), "{few:?}");
    for number in 0..30 {
        stage.write(format!("c/x{number}.py"), "");
    }
    assert_eq!(
        ran(&mut stage.sortie(["sweep", "-c", "job.yaml", "-o", "s 2", "c"])).status,
        Some(0)
    );
    let many = ran(&mut stage.sortie(["logs", "s 2", "goood"]));
    let hint = "hint: the nearest ids are `good`, `bad`, ";
    assert!(many.stderr.contains(hint), "{many:?}");
    assert!(many.stderr.contains("; `sortie ls 's 2'` lists all\n"), "{many:?}");
    ran(&mut stage.sortie(["logs", "s 1", "../s 1/good"]))
        .is_error(SETUP, "no candidate has the id");
}

#[test]
fn hints_name_the_directory() {
    let stage = Stage::shell(stage::CORRECT, "");
    let attach = ran(&mut stage.sortie(["attach", "-c", "job.yaml", "it's here"]));
    assert!(attach.stderr.contains(r"`sortie status 'it'\''s here'` shows"), "{attach:?}");
    let sweep = ran(&mut stage.sortie(["sweep", "--resume", "it's here"]));
    assert!(sweep.stderr.contains(r"--out 'it'\''s here' CANDIDATE"), "{sweep:?}");
}

#[test]
fn the_job_type_changed_by_hand() {
    let stage = Stage::empty();
    stage.write("job.yaml", "job_type: slurm_conda\npartition: a\n");
    let args = ["run", "-c", "job.yaml", "--set", "job_type=local", "candidate.py", "out"];
    let said = "job.yaml:2:1: `partition` is a setting of `slurm_conda` and `slurm_docker` jobs, but this job is `local`, as \
                `--set job_type` says";
    ran(&mut stage.sortie(args)).is_error(SETUP, said);
}
