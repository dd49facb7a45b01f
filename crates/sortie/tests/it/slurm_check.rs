//! `check --submit`, which asks a node: on a real Slurm, and with commands in its place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{INTERRUPTED, SETUP};
use sortie_results::Submitted;

use crate::slurm::Cluster;
use crate::stage::{Ran, Stage, ended, eventually, ran};

const SHIMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sortie-slurm/tests/shims");

/// Has each job run at once, and be over when sbatch is.
const RUNS: &str = r#"
case $* in *--test-only*) exit 0 ;; esac
admit
SLURM_JOB_ID=$id bash "$SHIM_DIR/sbatch.stdin" >/dev/null 2>&1
echo "$id"
exit 0
"#;
/// Takes each job, and does not run it.
const TAKES: &str = "case $* in *--test-only*) exit 0 ;; esac\nadmit\necho \"$id\"\nexit 0\n";

const SETTINGS: &str = "job_type: slurm_conda\neval_program_path: evaluate.py\npython_executable: /usr/bin/python3\n\
                        gpus: 0\nmem: 100M\ntime: 5\n";

/// A stage with stand-ins for Slurm's commands.
fn with_shims(sbatch: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("shims/config", "ClusterName = shim\nAccountingStorageType = (null)\n");
    stage.write("shims/sbatch.hook", sbatch);
    stage.write("evaluate.py", "import json\n");
    stage.write("job.yaml", SETTINGS);
    stage.write("out/kept", "");
    stage
}

fn asking(stage: &Stage, further: &[&str]) -> Command {
    let args = ["check", "--config", "job.yaml", "--submit=out"];
    let mut check = stage.sortie(args.iter().chain(further));
    check.env("SHIM_DIR", stage.path("shims")).env("PATH", format!("{SHIMS}:/usr/bin:/bin"));
    check.stdout(Stdio::piped()).stderr(Stdio::piped());
    check
}

/// The line of this subject, of which there is one.
fn line<'a>(ran: &'a Ran, subject: &str) -> &'a str {
    let is_of = |line: &&str| line.get(9..).is_some_and(|rest| rest.starts_with(subject));
    let lines: Vec<_> = ran.stdout.lines().filter(is_of).collect();
    assert_eq!(lines.len(), 1, "{subject}: {ran:?}");
    lines[0]
}

fn says(ran: &Ran, subject: &str, word: &str, said: &str) {
    let line = line(ran, subject);
    assert!(line.starts_with(word) && line.contains(said), "{said}\n{ran:?}");
}

fn leaves_nothing(stage: &Stage) {
    let names = fs::read_dir(stage.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["kept"]);
    stage.empties();
}

#[test]
fn a_node_says_what_it_has() {
    let stage = with_shims(RUNS);
    let good = ran(&mut asking(&stage, &[]));
    assert_eq!((good.status, good.stderr.as_str()), (Some(0), ""), "{good:?}");
    says(&good, "node", "ok", "a job ran on ");
    says(&good, "results dir", "ok", "/out is seen here");
    says(&good, "interpreter", "ok", "/usr/bin/python3 3.");
    says(&good, "imports", "ok", "1 import statements of the evaluator were tried");
    leaves_nothing(&stage);

    stage.write("evaluate.py", "import json\nimport nosuchmodule\n");
    let bad = ran(&mut asking(&stage, &[]));
    assert_eq!(bad.status, Some(SETUP.into()), "{bad:?}");
    says(&bad, "node", "ok", "a job ran on ");
    says(&bad, "imports", "problem", "No module named 'nosuchmodule', with /usr/bin/python3 3.");

    stage.write("evaluate.py", "import dies\n");
    stage.write("dies.py", "import os\nos.kill(os.getpid(), 11)\n");
    let dead = ran(&mut asking(&stage, &[]));
    says(&dead, "results dir", "ok", "/out is seen here");
    says(&dead, "imports", "problem", "`import dies` ends Python by signal 11");
    leaves_nothing(&stage);
}

/// What is wrong on the node, or with its answer, and what to do.
#[test]
fn each_that_a_node_lacks_is_named() {
    let node_fails = "sed 's/ .*/|NODE_FAIL|n1|1700000000|N\\/A|None/' \"$SHIM_DIR/jobs\"; exit 0";
    let refuses = "case $* in *--test-only*) exit 0 ;; esac\nfail 'Invalid account'";
    for (sbatch, squeue, setting, said, advice) in [
        (RUNS, "", "python_executable=no-python", "no-python: not found", "`python_executable`"),
        (RUNS, "", "modules=[cuda/12]", "modules are asked for", "correct `modules`"),
        (RUNS, "", "conda_env=/no/such/env", "conda", "set `conda_env`"),
        (TAKES, node_fails, "time=5", "/out has left nothing", "`--submit=DIR`"),
        (refuses, "", "time=5", "Invalid account", "correct what the settings ask of Slurm"),
    ] {
        let stage = with_shims(sbatch);
        stage.write("shims/squeue.hook", squeue);
        let unset = if setting.starts_with("conda") { "python_executable=null" } else { "gpus=0" };
        let ran = ran(&mut asking(&stage, &["--set", setting, "--set", unset]));
        assert_eq!(ran.status, Some(SETUP.into()), "{ran:?}");
        says(&ran, "node", "problem", said);
        says(&ran, "node", "problem", advice);
        leaves_nothing(&stage);
    }
}

/// One that runs as itself is looked at by the node's shell.
#[test]
fn an_executable_is_looked_at_there() {
    let stage = with_shims(RUNS);
    let judge = stage.write("judge", "#!/bin/sh\necho it was run >\"$4/run\"\n");
    fs::set_permissions(judge, Permissions::from_mode(0o755)).unwrap();
    stage.write(
        "job.yaml",
        SETTINGS
            .replace("evaluate.py", "judge")
            .replace("python_executable: /usr/bin/python3", "evaluator: executable"),
    );
    let good = ran(&mut asking(&stage, &[]));
    assert_eq!(good.status, Some(0), "{good:?}");
    says(&good, "evaluator", "ok", "judge can be started on ");
    says(&good, "results dir", "ok", "/out is seen here");

    stage.write("judge", "#!/usr/bin/env no-such-sh\n");
    let bad = ran(&mut asking(&stage, &[]));
    assert_eq!(bad.status, Some(SETUP.into()), "{bad:?}");
    says(&bad, "evaluator", "problem", "names \"no-such-sh\", which is not found here");
    leaves_nothing(&stage);
}

/// On a real engine.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_an_image_has_is_said() {
    let variable = |name: &str| match std::env::var(name) {
        Ok(value) => value,
        Err(error) => panic!("{name}: {error}: use `cargo xtask test`"),
    };
    let stage = with_shims(RUNS);
    let settings =
        SETTINGS.replace("slurm_conda", "slurm_docker").replace("/usr/bin/python3", "python");
    let image = variable("SORTIE_TEST_PYTHON_IMAGE");
    let asked = |settings: &str| {
        let further = "pull: never\nrequire_limits: false\ndocker_flags: --network none\n";
        stage.write("job.yaml", format!("{settings}{further}"));
        ran(asking(&stage, &[]).env("DOCKER_HOST", variable("SORTIE_TEST_DOCKER_HOST")))
    };
    stage.write("evaluate.py", "import json\nimport nosuchmodule\n");
    let bad = asked(&format!("{settings}image: {image}\n"));
    says(&bad, "results dir", "ok", "/out is seen here");
    says(&bad, "interpreter", "ok", "/usr/bin/python 3.");
    says(&bad, "imports", "problem", "line 2 of /workspace/evaluate.py");
    says(&bad, "imports", "problem", "install it in the image");
    let none = asked(&format!("{settings}image: no-such-image:1\n"));
    says(&none, "node", "problem", "docker has no image no-such-image:1");
    says(&none, "node", "problem", "correct `image` or `image_tar_path`");
    leaves_nothing(&stage);
}

#[test]
fn no_job_is_submitted_that_would_not_come_to_a_node() {
    let stage = with_shims("fail 'invalid partition specified: gpu'");
    let refused = ran(&mut asking(&stage, &[]));
    assert_eq!(refused.status, Some(SETUP.into()), "{refused:?}");
    says(&refused, "request", "problem", "invalid partition");
    says(&refused, "node", "problem", "not asked");
    let calls = stage.read("shims/sbatch.calls");
    assert!(calls.lines().all(|call| call.contains("--test-only")), "{calls}");

    let stage = with_shims(RUNS);
    let args = ["check", "--config", "job.yaml", "--submit=no/such/dir"];
    let mut elsewhere = stage.sortie(args);
    elsewhere.env("SHIM_DIR", stage.path("shims")).env("PATH", format!("{SHIMS}:/usr/bin:/bin"));
    let elsewhere = ran(&mut elsewhere);
    assert_eq!(elsewhere.status, Some(SETUP.into()), "{elsewhere:?}");
    says(&elsewhere, "results dir", "problem", "cannot make a directory in no/such/dir");

    stage.write("job.yaml", "job_type: local\n");
    ran(&mut asking(&stage, &[])).is_error(SETUP, "`--submit` is for jobs of Slurm");
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn a_real_node_is_asked() {
    let cluster = Cluster::new("", "");
    let stage = &cluster.stage;
    stage.write("job.yaml", SETTINGS);
    stage.write("evaluate.py", "import json\n");
    stage.write("out/kept", "");
    let args = ["check", "--config", "job.yaml", "--submit=out"];
    let good = ran(&mut cluster.sortie(args));
    assert_eq!(good.status, Some(0), "{good:?}");
    says(&good, "node", "ok", "a job ran on n");
    says(&good, "results dir", "ok", "/out is seen here");
    says(&good, "interpreter", "ok", "/usr/bin/python3 3.");
    leaves_nothing(stage);

    // In the queue for good, until Ctrl-C.
    stage.write("job.yaml", format!("{SETTINGS}sbatch_args: {{hold: null}}\n"));
    let check = cluster.sortie(args).spawn().unwrap();
    let own = || fs::read_dir(stage.path("out")).unwrap().map(|entry| entry.unwrap().path());
    let noted = || own().find_map(|dir| Submitted::read(&dir.join("results")).ok());
    let is_queued = || noted().is_some_and(|note| !cluster.state_of(&note.job_name).is_empty());
    eventually("the job to be in the queue", is_queued);
    let name = noted().unwrap().job_name;
    kill_process(Pid::from_raw(check.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    ended(check).is_error(INTERRUPTED, "interrupted before a node has answered");
    eventually("the job to leave the queue", || cluster.state_of(&name).is_empty());
    leaves_nothing(stage);
}

/// Of the account `brief`, whose jobs may take three minutes; `cargo xtask slurm up --accounting` makes it.
#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn limits_of_an_account_are_seen() {
    let cluster = Cluster::with_accounts("exit 0", "account: brief\n");
    let ran = ran(&mut cluster.sortie(["check", "--config", "job.yaml"]));
    says(&ran, "request", "ok", "Slurm would take the job");
    says(
        &ran,
        "accounts",
        "problem",
        "`time` is 00:05:00, above the 00:03:00 of the account brief",
    );
}
