//! What would run, shown.

use std::fs;
use std::process::Command;

use crate::stage::{self, Ran, SHELL, Stage, ran};

/// In an environment that is the same on every machine.
fn bare<'a>(stage: &Stage, command: &'a mut Command) -> &'a mut Command {
    let path = std::env::var_os("PATH").unwrap();
    let here = stage.dir();
    command.env_clear().env("PATH", path).env("PWD", here).env("HOME", here);
    command.envs([("SECRET_KEY", "hunter2"), ("LANG", "C")])
}

fn tool(stage: &Stage, subcommand: &str) -> Ran {
    let args = [subcommand, "-c", "job.yaml", "my candidate.py", "re'sults"];
    ran(bare(stage, &mut stage.sortie(args)))
}

fn render(stage: &Stage) -> Ran {
    tool(stage, "render")
}

#[test]
fn shows_the_command_and_runs_nothing() {
    let settings = "extra_cmd_args: {seed: 7, note: 'it is $HOME'}\nnumeric_threads_per_job: 2\n\
                    environment: {deny: [SECRET_*, LANG], set: {GREETING: \"hello\\nworld\"}}\n";
    let stage = Stage::shell(": > ran", settings);
    stage.write("my candidate.py", "");
    let before = stage.names();
    let rendered = render(&stage);
    assert_eq!((rendered.status, rendered.stderr.as_str()), (Some(0), ""), "{rendered:?}");
    assert_eq!(stage.names(), before);
    insta::assert_snapshot!(rendered.stdout.replace(stage.dir().to_str().unwrap(), "/HERE"));
}

/// Writes down what it is run with.
const NOTES: &str = r#"{ printf '%s\0' "$0" "$@"; env -0 | sort -z; pwd; } > "$4/notes""#;

/// Runs the job, and pastes what is rendered, elsewhere: both must have noted the same.
fn same_when_pasted(stage: &Stage) {
    stage.write("my candidate.py", "");
    let run = tool(stage, "run");
    assert_eq!(run.status, Some(0), "{run:?}");
    let notes = || stage.read("re'sults/notes");
    let of_run = notes();
    assert!(of_run.contains("\0LANG=C\0") && !of_run.contains("hunter2"), "{of_run:?}");
    fs::remove_file(stage.path("re'sults/notes")).unwrap();

    let rendered = render(stage);
    assert_eq!(rendered.status, Some(0), "{rendered:?}");
    let mut bash = stage.command("bash");
    let pasted = ran(bare(stage, &mut bash).args(["-c", &rendered.stdout]).current_dir("/tmp"));
    assert_eq!(pasted.status, Some(0), "{pasted:?}");
    // These the shells themselves keep count of.
    let of_shells = |entry: &&str| {
        ["SHLVL=", "PWD=", "OLDPWD=", "_="].iter().any(|name| entry.starts_with(name))
    };
    let entries = |notes: &str| {
        let entries = notes.split('\0').filter(|entry| !of_shells(entry));
        entries.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(entries(&notes()), entries(&of_run));
}

#[test]
fn pasted_it_runs_as_the_job_does() {
    let settings = "extra_cmd_args: {note: \"it's\\n$(touch pwned) `x` \\\\\"}\n\
                    environment: {deny: [SECRET_*], set: {GREETING: \"a'b\\n$c\"}}\n";
    let stage = Stage::shell(&format!("{NOTES}\n{}", stage::CORRECT), settings);
    same_when_pasted(&stage);
    assert!(!stage.path("pwned").exists());
}

#[test]
fn so_it_does_with_an_interpreter_that_looks_like_a_variable() {
    let stage = Stage::shell(&format!("{NOTES}\n{}", stage::CORRECT), "");
    std::os::unix::fs::symlink("/bin/sh", stage.path("a=b")).unwrap();
    let settings = SHELL.replace(": sh", ": ./a=b");
    stage.write("job.yaml", settings + "environment: {deny: [SECRET_*]}\n");
    same_when_pasted(&stage);
}

#[test]
fn so_it_does_with_something_to_activate() {
    let stage = Stage::shell(&format!("{NOTES}\n{}", stage::CORRECT), "");
    fs::create_dir(stage.path("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/python")).unwrap();
    stage.write("my activate", format!("PATH={}:$PATH\n", stage.path("bin").display()));
    let settings = SHELL.replace("python_executable: sh", "activate_script: my activate");
    stage.write("job.yaml", settings + "environment: {deny: [SECRET_*]}\n");
    same_when_pasted(&stage);
}

/// Of a node or of an image, where the probe of the container asks it, too.
#[test]
fn the_python_that_is_set_runs_the_evaluator() {
    let stage = Stage::empty();
    stage.write("my candidate.py", "");
    stage.write("evaluate.py", "");
    for (settings, expected) in [
        ("slurm_conda", &["sortie_command=(python evaluate.py "][..]),
        (
            "slurm_conda\npython_executable: /opt/python3",
            &["sortie_command=(/opt/python3 evaluate.py "],
        ),
        (
            "slurm_docker\npython_executable: python3",
            &["sortie_command=(python3 /workspace/evaluate.py ", "sortie_probe=(python3 -c "],
        ),
    ] {
        stage.write("job.yaml", format!("job_type: {settings}\n"));
        let ran = render(&stage);
        assert!(expected.iter().all(|line| ran.stdout.contains(line)), "{settings}: {ran:?}");
    }
}

#[test]
fn what_cannot_run_is_not_shown() {
    let stage = Stage::shell("", "");
    render(&stage).is_error(2, "the candidate my candidate.py cannot be read");
    stage.write("my candidate.py", "");
    fs::remove_file(stage.path("evaluate.sh")).unwrap();
    render(&stage).is_error(2, "the evaluator evaluate.sh cannot be read");
}
