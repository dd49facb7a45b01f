//! Where settings come from: a file, variables, flags; and how they are shown.

use std::io::Write as _;
use std::process::Stdio;

use sortie::exit_status::SETUP;

use crate::stage::{self, SHELL, Stage, ended, ran};

const JOB: [&str; 2] = ["candidate.py", "results"];

#[test]
fn variables_win_over_the_file_and_flags_over_both() {
    let stage = Stage::shell(stage::CORRECT, "time: 30\nlimits: {max_log_bytes: 1000}\n");
    let mut config = stage.sortie(["config", "-c", "job.yaml", "--set", "time=00:05:00"]);
    config.args(["--set", "environment.deny=['*_KEY']"]).env("SORTIE_LIMITS__GRACE_SECONDS", "2");
    let ran = ran(config.env("SORTIE_TIME", "1").env("SORTIE_PARTITION", "other"));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
    // And it is settings.
    stage.write("job.yaml", ran.stdout);
    assert_eq!(stage.run().status, Some(0));
}

#[test]
fn a_job_never_gets_the_variables_that_are_settings() {
    let evaluator = format!("env > env; {}", stage::CORRECT);
    let stage = Stage::shell(&evaluator, "environment: {set: {SORTIE_CPUS: '3'}}\n");
    let mut run = stage.sortie(["run"]);
    run.args(JOB).env("SORTIE_CONFIG", "job.yaml").env("SORTIE_TIME", "7").env("SORTIE_OTHER", "x");
    let ran = ran(&mut run);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("ignored, as these are not settings of sortie: SORTIE_OTHER"),
        "{ran:?}"
    );
    let env = stage.read("env");
    assert!(!env.contains("SORTIE_TIME") && !env.contains("SORTIE_CONFIG"), "{env}");
    // What is none is nothing to sortie, and what the user sets for the job is for the job.
    assert!(env.contains("SORTIE_OTHER=x") && env.contains("SORTIE_CPUS=3"), "{env}");
    assert!(stage.read("results/job.json").contains("\"correct\": true"));
}

#[test]
fn without_a_file_it_takes_a_job_type() {
    let stage = Stage::shell(stage::CORRECT, "");
    ran(stage.sortie(["run"]).args(JOB))
        .is_error(SETUP, "no settings: neither a file nor a `job_type`");
    let flags = ["job_type=local", "eval_program_path=evaluate.sh", "python_executable=sh"];
    let flags = flags.iter().flat_map(|flag| ["--set", flag]);
    assert_eq!(ran(stage.sortie(["run"]).args(flags).args(JOB)).status, Some(0));
}

#[test]
fn an_error_names_the_place_and_gives_a_hint() {
    let stage = Stage::shell(": > ran", "");
    let run = || stage.run_command();
    let cases = [
        (
            ran(run().args(["--set", "tmie=5"])),
            "--set tmie: unknown field `tmie`, did you mean `time`?",
        ),
        (
            ran(run().env("SORTIE_TMIE", "5")),
            "SORTIE_TMIE: there is no such setting, did you mean `SORTIE_TIME`?",
        ),
        (ran(run().env("SORTIE_TIME", "1h")), "SORTIE_TIME: `time`: `1h` is no time limit"),
        (ran(run().args(["--set", "time"])), "--set: `time` has no value, write `time=VALUE`"),
    ];
    for (ran, said) in cases {
        ran.is_error(SETUP, said);
        assert!(ran.stderr.contains("\nhint: "), "{ran:?}");
    }
    let check =
        ran(stage.sortie(["check", "-c", "job.yaml", "--set", "tmie=5"]).env("NO_COLOR", "1"));
    assert!(
        check.stdout.starts_with("problem  settings     --set tmie: unknown field"),
        "{check:?}"
    );
    assert!(!stage.path("ran").exists());
}

#[test]
fn a_pipe_is_as_good_as_a_file_and_what_never_ends_is_not() {
    let stage = Stage::shell(stage::CORRECT, "");
    let mut run = stage.sortie(["run", "-c", "/dev/stdin"]);
    run.args(JOB).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().unwrap();
    child.stdin.take().unwrap().write_all(SHELL.as_bytes()).unwrap();
    assert_eq!(ended(child).status, Some(0));
    ran(stage.sortie(["run", "-c", "/dev/zero"]).args(JOB))
        .is_error(SETUP, "/dev/zero: cannot read: it is longer");
}

#[test]
fn init_writes_a_file_that_is_good_once() {
    let stage = Stage::shell(stage::CORRECT, "");
    for job_type in ["local", "local_docker", "slurm_conda", "slurm_docker"] {
        let file = format!("{job_type}.yaml");
        let init = || ran(&mut stage.sortie(["init", job_type, "-o", &file]));
        let first = init();
        assert_eq!((first.status, first.stdout.as_str()), (Some(0), ""), "{first:?}");
        let written = stage.read(&file);
        assert!(written.contains(&format!("\njob_type: {job_type}\n")), "{written}");
        assert_eq!(ran(&mut stage.sortie(["config", "-c", &file])).status, Some(0));
        stage.write(&file, "mine");
        init().is_error(SETUP, &format!("{file} is there already"));
        assert_eq!(stage.read(&file), "mine");
        let shown = ran(&mut stage.sortie(["init", job_type, "--output", "-"]));
        assert_eq!((shown.stdout, shown.stderr.as_str()), (written, ""));
    }
    ran(&mut stage.sortie(["init", "-o", "none/job.yaml"]))
        .is_error(SETUP, "cannot write none/job.yaml: ");
    let wrong = ran(&mut stage.sortie(["init", "slurm"]));
    assert!(wrong.status == Some(2) && wrong.stderr.contains("slurm_conda"), "{wrong:?}");
}

#[test]
fn a_class_known_by_its_name_alone_is_told() {
    let stage = Stage::shell(stage::CORRECT, "");
    let text = "job_config:\n  _target_: other.launch.LocalJobConfig\n  eval_program_path: ${task.dir}/evaluate.sh\n  \
                python_executable: sh\ntask: {dir: .}\n";
    std::fs::write(stage.path("fork.yaml"), text).unwrap();
    let ran = ran(stage.sortie(["run", "-c", "fork.yaml"]).args(JOB));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let said = "`other.launch.LocalJobConfig` is not a class of `shinka.launch`: read as `local`, by its name";
    assert!(ran.stderr.contains(said), "{ran:?}");
}
