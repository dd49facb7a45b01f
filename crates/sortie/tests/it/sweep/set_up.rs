//! A set-up that is broken, from the start or on the way; and candidates that are run again once it is mended.

use sortie::exit_status::{CORRECT, SETUP};
use sortie_results::Value;

use super::{SCORES, begin, results, resume, runs, stage};
use crate::stage::{Stage, ran};

fn break_it(stage: &Stage) {
    std::fs::rename(stage.path("evaluate.sh"), stage.path("away")).unwrap();
}

fn mend(stage: &Stage) {
    std::fs::rename(stage.path("away"), stage.path("evaluate.sh")).unwrap();
}

#[test]
fn nothing_is_begun_where_every_job_would_fail() {
    let stage = stage(SCORES, "", 3);
    break_it(&stage);
    let names = stage.names();
    for further in [&[][..], &["--detach"], &["--json"]] {
        let refused = ran(begin(&stage).args(further));
        refused
            .is_error(SETUP, "nothing was started, because every job would fail: the evaluator ");
        assert!(
            refused.stderr.contains(
                "hint: set `eval_program_path`, or start where the relative path leads to it; "
            ),
            "{refused:?}"
        );
        assert_eq!(stage.names(), names);
    }
    let args = ["sweep", "-c", "job.yaml", "--set", "python_executable=none", "-o", "out", "c"];
    mend(&stage);
    ran(&mut stage.sortie(args)).is_error(SETUP, "the interpreter none is not on PATH");
    assert_eq!(ran(&mut begin(&stage)).status, Some(CORRECT.into()));

    // One that is done needs nothing.
    break_it(&stage);
    assert_eq!(ran(&mut resume(&stage)).status, Some(CORRECT.into()));
}

#[test]
fn a_set_up_that_fails_stops_the_sweep_until_it_is_mended() {
    // What cannot be seen without running it: the script that is sourced ends the shell.
    let stage = stage(SCORES, "activate_script: env.sh\n", 50);
    let job = stage.read("job.yaml");
    let line = job.lines().find(|line| line.starts_with("python_executable")).unwrap();
    stage.write("job.yaml", job.replace(line, ""));
    stage.write("env.sh", "exit 7\n");
    let stopped = ran(&mut begin(&stage));
    stopped.is_error_with_output(SETUP, "the set-up failed for ");
    let hint = "hint: fix it, then resume: `sortie sweep --resume out`, which runs them again";
    assert!(stopped.stderr.contains(hint), "{stopped:?}");
    assert_eq!((stopped.stdout.as_str(), results(&stage).len()), ("", 0));
    let status = ran(&mut stage.sortie(["status", "out"]));
    assert!(status.stdout.starts_with("stopped   out  0 of 50 done"), "{status:?}");
    stage.write("env.sh", "PATH=$PWD/bin:$PATH\n");
    std::fs::create_dir(stage.path("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", stage.path("bin/python")).unwrap();
    let resumed = ran(&mut resume(&stage));
    assert_eq!(resumed.status, Some(CORRECT.into()), "{resumed:?}");
    assert_eq!((results(&stage).len(), runs(&stage).into_values().max()), (50, Some(1)));
}

#[test]
fn candidates_that_failed_are_run_again_by_their_faults() {
    let evaluator = format!("read -r n < \"$2\"; [ $n != 1 ] || [ -e good ] || exit 3; {SCORES}");
    let stage = stage(&evaluator, "", 4);
    std::fs::create_dir(stage.path("c/p9.py")).unwrap();
    std::os::unix::fs::symlink("main.txt", stage.path("c/p9.py/main.py")).unwrap();
    stage.write("c/p9.py/main.txt", "9\n");
    let gone = "[ -e good ] || rm -f c/p9.py/main.txt";
    stage.write("evaluate.sh", format!("{gone}\n{}", stage.read("evaluate.sh")));
    let first = ran(begin(&stage).args(["--workers", "1"]));
    assert_eq!(first.status, Some(SETUP.into()), "{first:?}");
    let hint = "run those again: `sortie sweep --resume out --again setup`\n";
    assert!(first.stdout.ends_with(hint), "{first:?}");
    stage.write("good", "");
    stage.write("c/p9.py/main.txt", "9\n");
    for (faults, count) in [("infrastructure,stopped", 0), ("setup", 1), ("candidate,setup", 1)] {
        let mut command = resume(&stage);
        let ran = ran(command.args(["--json", "--again", faults]));
        assert_eq!(ran.stderr, format!("candidates to run again: {count}\n"), "{ran:?}");
        assert_eq!(ran.results()["waiting"], Value::Int(0), "{ran:?}");
        assert_eq!(results(&stage).len(), 5, "{faults}");
    }
    assert!(results(&stage).values().all(|line| line["fault"] == Value::Null));
    assert_eq!(runs(&stage).into_values().max(), Some(1));
    assert!(stage.path("out/p1/previous").is_dir() && !stage.path("out/p0/previous").exists());
    let top = ran(&mut stage.sortie(["results", "--top", "5", "out"]));
    assert_eq!(top.stdout.lines().count(), 5, "{top:?}");
    let usage = ["sweep", "-c", "job.yaml", "-o", "new", "--again", "setup", "c"];
    assert_eq!(ran(&mut stage.sortie(usage)).status, Some(SETUP.into()));
    let unknown = ran(resume(&stage).args(["--again", "bad"]));
    assert_eq!(unknown.status, Some(SETUP.into()), "{unknown:?}");
}

/// An evaluator in Python whose import is missing, on so many candidates.
fn lacking_an_import(candidates: usize) -> Stage {
    let stage = stage(SCORES, "", candidates);
    let job = stage.read("job.yaml");
    let lines = job.lines().filter(|line| !line.starts_with("python_executable"));
    let job: Vec<_> = lines.map(|line| line.replace("evaluate.sh", "evaluate.py")).collect();
    stage.write("job.yaml", job.join("\n"));
    stage.write("evaluate.py", "import no_such_module_at_all\n");
    stage
}

#[test]
fn an_evaluator_that_lacks_an_import_stops_the_sweep_before_the_night_is_lost() {
    let stage = lacking_an_import(12);
    let why = "exit code 1; ModuleNotFoundError: No module named 'no_such_module_at_all'";
    let stopped = ran(begin(&stage).args(["--workers", "1"]));
    stopped.is_error_with_output(
        SETUP,
        &format!("the set-up failed for 3 candidates in a row: {why}"),
    );
    let evaluator = "import sys, json\n\
        for name, value in [('metrics', {'combined_score': 1}), ('correct', {'correct': True})]:\n    \
        json.dump(value, open(f'{sys.argv[4]}/{name}.json', 'w'))\n";
    stage.write("evaluate.py", evaluator);
    let resumed = ran(&mut resume(&stage));
    assert_eq!(resumed.status, Some(CORRECT.into()), "{resumed:?}");
    assert_eq!(results(&stage).len(), 12);
}

#[test]
fn a_sweep_goes_on_where_that_is_asked_for() {
    let stage = lacking_an_import(5);
    let ended = ran(begin(&stage).args(["--workers", "1", "--setup-failures", "0"]));
    assert_eq!((ended.status, results(&stage).len()), (Some(SETUP.into()), 5), "{ended:?}");
}

#[test]
fn a_candidate_that_lacks_an_import_is_no_reason_to_stop() {
    let stage = lacking_an_import(5);
    stage.write("evaluate.py", "import runpy, sys\nrunpy.run_path(sys.argv[2])\n");
    for name in 0..5 {
        stage.write(format!("c/p{name}.py"), "import no_such_module_at_all\n");
    }
    let ended = ran(begin(&stage).args(["--workers", "1"]));
    assert_eq!((ended.status, results(&stage).len()), (Some(CORRECT.into()), 5), "{ended:?}");
}
