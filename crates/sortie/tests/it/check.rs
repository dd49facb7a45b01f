//! What jobs need, looked for beforehand.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use sortie_results::Value;

use crate::stage::{CORRECT, Ran, SHELL, Stage, ran};

fn check(stage: &Stage, further: &[&str]) -> Ran {
    ran(stage.sortie(["check", "--config", "job.yaml"]).args(further))
}

/// Settings for the Python there is.
const PYTHON: &str = "job_type: local\neval_program_path: evaluate.py\n";

#[test]
fn all_is_there() {
    let stage = Stage::empty();
    stage.write("job.yaml", PYTHON);
    stage.write("evaluate.py", "open('ran', 'w')");
    let before = stage.names();
    let ran = check(&stage, &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let words = ran.stdout.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    let subjects = ["settings", "evaluator", "interpreter", "imports", "protection"];
    assert_eq!(words.collect::<Vec<_>>(), subjects.map(|subject| ["ok", subject]));
    assert_eq!(stage.names(), before);
}

#[test]
fn what_jobs_have_to_themselves_is_told_as_run_and_sweep_tell_it() {
    let stage = Stage::empty();
    stage.write("job.yaml", format!("{PYTHON}gpus: 2\n"));
    stage.write("evaluate.py", "");
    stage.write("candidate.py", "");
    let with = |list: &str, args: &[&str]| {
        ran(stage.sortie(args).args(["--config", "job.yaml"]).env("CUDA_VISIBLE_DEVICES", list))
    };
    let checked = with("0,GPU-b,2,3,4", &["check"]);
    assert_eq!(checked.status, Some(0), "{checked:?}");
    let said = "each job has 2 of 5 GPUs (CUDA_VISIBLE_DEVICES is `0,GPU-b,2,3,4`) to itself: 2 jobs at once";
    assert!(checked.stdout.contains(said), "{}", checked.stdout);

    let refused = "`gpus` is 2, but the launcher may use 1 (CUDA_VISIBLE_DEVICES is `GPU-b`): lower it, or start";
    for args in [
        &["check"][..],
        &["render", "candidate.py", "results"],
        &["run", "candidate.py", "results"],
        &["submit", "candidate.py", "results"],
        &["sweep", "candidate.py", "--out", "results"],
    ] {
        let ran = with("GPU-b", args);
        assert_eq!(ran.status, Some(2), "{args:?} {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(refused), "{args:?} {said}");
        assert!(!stage.path("results/job_log.out").exists(), "{args:?}");
    }
}

#[test]
fn each_that_is_not_there_is_a_line_with_what_to_do() {
    let stage = Stage::empty();
    let cases = [
        (
            PYTHON,
            "evaluator",
            "the evaluator evaluate.py cannot be read: ",
            "set `eval_program_path`",
        ),
        (
            "job_type: local\npython_executable: ./none\n",
            "interpreter",
            "./none does not exist",
            "set `python_executable`",
        ),
        ("job_type: local\nconda_env: none\n", "interpreter", "none", "see `conda env list`"),
        (
            "job_type: local\nactivate_script: none\n",
            "interpreter",
            "activation script none cannot be read",
            "correct the path",
        ),
        // A program that is no Python.
        (
            "job_type: local\npython_executable: 'false'\n",
            "interpreter",
            "false ends with exit code 1",
            "run it by hand",
        ),
        (
            "job_type: local\ntmie: 3\n",
            "settings",
            "job.yaml:2:1: unknown field `tmie`",
            "correct the settings",
        ),
    ];
    for (settings, subject, what, advice) in cases {
        stage.write("job.yaml", settings);
        let ran = check(&stage, &[]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), ""), "{ran:?}");
        let is_it = |line: &str| {
            let start = format!("problem  {subject}");
            line.starts_with(&start) && line.contains(what) && line.contains(advice)
        };
        assert!(ran.stdout.lines().any(is_it), "{ran:?}");
    }
}

/// An evaluator that each job would fail with, for no fault of a candidate.
#[test]
fn imports_are_tried_in_the_jobs_interpreter_environment_and_directory() {
    let stage = Stage::empty();
    stage.write("lib/only_there.py", "");
    stage.write("tests/beside.py", "");
    stage.write("env.sh", "export ACTIVATED=yes PYTHONPATH=$PWD/lib\ncd /\n");
    stage.write("hangs.py", "import time\ntime.sleep(600)\n");
    stage.write("needs.py", "import os\nos.environ['ACTIVATED']\n");
    let activated = "activate_script: env.sh\n";
    let hangs = "time: '00:00:02'\n";
    for (evaluator, settings, said) in [
        ("import json\nimport nump\n", "", Some("line 2 of ")),
        ("import json\nimport nump\n", "", Some("No module named 'nump', with ")),
        (
            "import json\nimport nump\n",
            "",
            Some("; install it for this Python, or set `python_executable`"),
        ),
        ("import json\ndef f(:\n", "", Some("SyntaxError: ")),
        ("import json\ndef f(:\n", "", Some("(line 2 of ")),
        ("import beside, sys\nopen('ran', 'w')\n", "", None),
        ("try:\n import nump\nexcept ImportError:\n nump = None\n", "", None),
        ("import only_there", "", Some("No module named 'only_there'")),
        ("import only_there", activated, None),
        ("import sys\nsys.path.append('.')\nimport needs", "", Some("KeyError: 'ACTIVATED'")),
        ("import sys\nsys.path.append('.')\nimport needs", activated, None),
        (
            "import sys\nsys.path.append('.')\nimport hangs",
            hangs,
            Some("`import hangs` takes longer than 2 s"),
        ),
    ] {
        stage.write("tests/evaluate.py", evaluator);
        stage.write(
            "job.yaml",
            format!("{PYTHON}{settings}").replace("evaluate.py", "tests/evaluate.py"),
        );
        let before = stage.names();
        let ran = check(&stage, &[]);
        let line = ran.stdout.lines().find(|line| line.contains(" imports "));
        let line = line.unwrap_or_else(|| panic!("{evaluator:?}: {ran:?}"));
        match said {
            None => {
                assert!(line.starts_with("ok ") && ran.status == Some(0), "{evaluator:?}: {ran:?}");
            }
            Some(said) => {
                assert!(
                    line.starts_with("problem ") && line.contains(said),
                    "{evaluator:?}: {ran:?}"
                );
                assert_eq!(ran.status, Some(2));
            }
        }
        assert_eq!(stage.names(), before, "{evaluator:?}");
    }
    stage.empties();
}

/// Settings of an evaluator that runs as itself.
#[test]
fn an_executable_is_checked_and_run_and_never_warm() {
    let stage = Stage::empty();
    stage.write("candidate.py", "");
    let evaluator = stage.write("evaluate", format!("#!/bin/bash\n{CORRECT}"));
    let settings = "job_type: local\neval_program_path: evaluate\n";
    let permit = |mode| fs::set_permissions(&evaluator, Permissions::from_mode(mode)).unwrap();
    permit(0o755);
    // A program of its name on PATH is another one.
    stage.write("bin/evaluate", "#!/bin/sh\nexit 7\n");
    fs::set_permissions(stage.path("bin/evaluate"), Permissions::from_mode(0o755)).unwrap();
    let path =
        format!("environment: {{set: {{PATH: {}:/usr/bin:/bin}}}}\n", stage.path("bin").display());
    for (more, status, said) in [
        ("", 2, "is a script for /bin/bash, which Python cannot run: set `evaluator: executable`"),
        ("evaluator: executable\n", 0, "evaluate, a script for /bin/bash"),
        ("evaluator: executable\nwarm: true\n", 2, "`warm` keeps a Python"),
        (
            "evaluator: executable\npython_executable: sh\n",
            2,
            "`python_executable` is sh, but `evaluator` is",
        ),
        ("evaluator: perl\n", 2, "must be `python` or `executable`, got"),
    ] {
        stage.write("job.yaml", format!("{settings}{path}{more}"));
        let checked = check(&stage, &[]);
        assert_eq!(checked.status, Some(status), "{checked:?}");
        assert!(checked.stdout.contains(said), "{said}\n{checked:?}");
        assert_eq!(stage.run().status == Some(0), status == 0, "{more}");
    }
    stage.write("job.yaml", format!("{settings}evaluator: executable\n"));
    permit(0o644);
    let checked = check(&stage, &[]);
    assert!(checked.stdout.contains("is not executable: `chmod +x`"), "{checked:?}");
    let (kind, fault, detail) = stage.run().verdict();
    assert_eq!((kind.as_str(), fault.as_deref()), ("not_started", Some("setup")));
    assert!(detail.contains("is not executable: `chmod +x`"), "{detail}");
}

#[test]
fn of_every_job_type_with_what_to_install() {
    let stage = Stage::empty();
    stage.write("evaluate.py", "");
    for (settings, expected) in [
        ("job_type: local\n", &[("interpreter", "install Python")][..]),
        (
            "job_type: local_docker\nimage_tar_path: none.tar\n",
            &[("engine", "install Docker or Podman"), ("image archive", "none.tar cannot be read")],
        ),
        (
            "job_type: slurm_conda\nconda_env: none\n",
            &[
                ("activation", "make it with `conda create`"),
                ("cluster", "install Slurm's commands"),
            ],
        ),
        (
            "job_type: slurm_conda\n",
            &[("interpreter", "set `python_executable` to a Python that the nodes have")],
        ),
        (
            "job_type: slurm_conda\nactivate_script: .\n",
            &[("activation", "is not a file; correct `activate_script`")],
        ),
        (
            "job_type: slurm_docker\nimage_tar_path: none.tar\n",
            &[("cluster", "install Slurm's commands"), ("image archive", "docker save")],
        ),
    ] {
        stage.write("job.yaml", settings);
        // Where nothing is installed.
        let mut check = stage.sortie(["check", "--config", "job.yaml"]);
        let ran = ran(check.env("PATH", "/no/such/dir").env("HOME", stage.dir()));
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), ""), "{ran:?}");
        for (subject, said) in expected {
            let is_it = |line: &str| {
                line.starts_with(&format!("problem  {subject}")) && line.contains(said)
            };
            assert!(ran.stdout.lines().any(is_it), "{subject}: {said}\n{ran:?}");
        }
    }
}

#[test]
fn settings_that_are_not_there() {
    let ran = check(&Stage::empty(), &[]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stdout.starts_with("problem  settings     job.yaml: cannot read: "), "{ran:?}");
}

#[test]
fn in_json() {
    let stage = Stage::empty();
    stage.write("job.yaml", SHELL);
    let ran = check(&stage, &["--json"]);
    assert_eq!(ran.status, Some(2));
    let report = ran.results();
    assert_eq!(report["ok"], Value::Bool(false));
    let Value::Array(findings) = &report["findings"] else { panic!("{report:?}") };
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&findings[0]), ["subject", "ok", "found"]);
    assert_eq!(members(&findings[1]), ["subject", "ok", "problem", "advice"]);
    assert_eq!(findings[1].get("subject").and_then(Value::as_str), Some("evaluator"));
}

/// Stand-ins for Slurm's commands, of a cluster with these lines in its configuration and this partition.
fn with_slurm(config: &str, partition: &str, sacctmgr: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("evaluate.py", "");
    let scontrol = format!(
        "case $* in *config) printf 'ClusterName = shim\\n{config}' ;; *) echo 'PartitionName=gpu {partition}' ;; esac"
    );
    for (name, text) in [
        ("sbatch", "exit 0"),
        ("python", "exec /usr/bin/python3 \"$@\""),
        ("scontrol", &scontrol),
        ("sacctmgr", sacctmgr),
        ("id", "echo ann"),
    ] {
        let path = stage.write(format!("bin/{name}"), format!("#!/bin/sh\n{text}"));
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    stage
}

/// What `check` finds of a subject with these settings: a line.
fn found(stage: &Stage, settings: &str, subject: &str) -> String {
    stage.write("job.yaml", format!("job_type: slurm_conda\n{settings}"));
    let mut check = stage.sortie(["check", "--config", "job.yaml"]);
    let path = format!("{}:/usr/bin:/bin", stage.path("bin").display());
    let ran = ran(check.env("PATH", path));
    let is_of = |line: &&str| line.contains(&format!("  {subject}  "));
    ran.stdout.lines().find(is_of).unwrap_or_default().to_owned()
}

fn says(line: &str, expected: Result<&str, &str>) {
    let (word, said) = match expected {
        Ok(said) => ("ok", said),
        Err(said) => ("problem", said),
    };
    assert!(line.starts_with(word) && line.contains(said), "{said}\n{line}");
}

/// Of what sbatch takes and Slurm never starts, as scontrol tells of partitions: with commands in their place.
#[test]
fn limits_of_a_partition_that_sbatch_does_not_check() {
    for (limits, settings, expected) in [
        (["UNLIMITED", "UNLIMITED", "UP"], "", Ok("gpu takes jobs of any length")),
        (["1-00:00:00", "8192", "UP"], "", Ok("gpu takes jobs of up to 1-00:00:00")),
        (["00:59:00", "UNLIMITED", "UP"], "", Err("`time` is 01:00:00, above the 00:59:00")),
        (
            ["1-00:00:00", "UNLIMITED", "UP"],
            "time: 0\n",
            Err("`time` is UNLIMITED, above the 1-00:00:00"),
        ),
        (["00:59:00", "UNLIMITED", "UP"], "sbatch_args: {time-min: 10}\n", Ok("up to 00:59:00")),
        (["00:59:00", "UNLIMITED", "UP"], "qos: long\n", Ok("unless the QOS allows it")),
        (["UNLIMITED", "8191", "UP"], "", Err("`mem` is 8G, above the 8191M of the partition gpu")),
        (["UNLIMITED", "UNLIMITED", "DOWN"], "", Err("the partition gpu is DOWN")),
    ] {
        let [max_time, max_memory, is] = limits;
        let partition = format!("MaxTime={max_time} State={is} MaxMemPerNode={max_memory}");
        let stage = with_slurm("", &partition, "exit 1");
        says(&found(&stage, settings, "partition"), expected);
    }
}

/// Those of the cluster count where the partition has none.
#[test]
fn limits_of_a_cluster_on_memory() {
    let unlimited = "MaxMemPerNode=UNLIMITED";
    for (config, memory, expected) in [
        ("MaxMemPerNode = 8191", unlimited, Err("`mem` is 8G, above the 8191M of the cluster")),
        ("MaxMemPerNode = 8191", "MaxMemPerNode=9000", Ok("takes jobs of any length")),
        (
            "MaxMemPerCPU = 4096",
            unlimited,
            Ok("any length; for `mem` of 8G each gets 2 CPUs, as one may have 4096M"),
        ),
        ("MaxMemPerNode = 1", "MaxMemPerCPU=2048", Ok("each gets 4 CPUs, as one may have 2048M")),
    ] {
        let partition = format!("MaxTime=UNLIMITED State=UP {memory}");
        let stage = with_slurm(&format!("{config}\n"), &partition, "exit 1");
        says(&found(&stage, "", "partition"), expected);
    }
}

/// Of accounts and QOS, as sacctmgr tells of them.
#[test]
fn limits_of_accounts_that_sbatch_does_not_check() {
    let sacctmgr = "case $* in
        *'show user where name=ann withassoc '*)
          echo 'lab|lab|||1-00:00:00||5'
          echo 'lab|lab|gpu||12:00:00|cpu=1|'
          echo 'lab|brief|||00:10:00||'
          echo 'lab|qosed||long|00:10:00|mem=8191M|' ;;
        *'show qos where name=long '*) echo '2-00:00:00|cpu=8|7' ;;
      esac";
    let partition = "MaxTime=UNLIMITED State=UP";
    let enforced = "AccountingStorageEnforce = associations,limits,qos\n";
    let stage = with_slurm(enforced, partition, sacctmgr);
    for (settings, expected) in [
        ("", Ok("the account lab allows jobs of up to 12:00:00")),
        ("cpus: 2\n", Err("`cpus` is 2, above the 1 of the account lab")),
        ("cpus: 2\npartition: other\n", Ok("up to 1-00:00:00, 5 in the queue at once")),
        ("account: brief\n", Err("`time` is 01:00:00, above the 00:10:00 of the account brief")),
        ("account: brief\nqos: long\ntime: 2-00\n", Ok("the QOS long with the account brief")),
        ("account: brief\nsbatch_args: {time-min: 5}\n", Ok("up to 00:10:00")),
        ("account: qosed\nmem: 1G\n", Ok("up to 2-00:00:00, 7 in the queue at once")),
        ("account: qosed\n", Err("`mem` is 8G, above the 8191M of the account qosed")),
        ("account: qosed\nmem: 1G\ncpus: 9\n", Err("above the 8 of the QOS long")),
    ] {
        says(&found(&stage, settings, "accounts"), expected);
    }
    let not_mine = found(&stage, "account: nobodys\n", "accounts");
    assert_eq!(not_mine, "", "which is for sbatch to say");
    let free = with_slurm("AccountingStorageEnforce = associations\n", partition, sacctmgr);
    assert_eq!(found(&free, "account: brief\n", "accounts"), "");
}
