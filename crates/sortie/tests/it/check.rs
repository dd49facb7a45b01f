//! What jobs need, looked for beforehand.

use sortie_results::Value;

use crate::stage::{Ran, SHELL, Stage, ran};

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
    let subjects = ["settings", "evaluator", "interpreter", "protection"];
    assert_eq!(words.collect::<Vec<_>>(), subjects.map(|subject| ["ok", subject]));
    assert_eq!(stage.names(), before);
}

#[test]
fn each_that_is_not_there_is_a_line_with_what_to_do() {
    let stage = Stage::empty();
    let evaluator = stage.path("evaluate.py");
    let cases = [
        (
            PYTHON,
            "evaluator",
            format!("{} cannot be read: ", evaluator.display()),
            "set `eval_program_path`",
        ),
        (
            "job_type: local\npython_executable: ./none\n",
            "interpreter",
            "./none does not exist".into(),
            "set `python_executable`",
        ),
        (
            "job_type: local\nconda_env: none\n",
            "interpreter",
            "none".into(),
            "see `conda env list`",
        ),
        (
            "job_type: local\nactivate_script: none\n",
            "interpreter",
            "activation script none cannot be read".into(),
            "mend the path",
        ),
        // A program that is no Python.
        (
            "job_type: local\npython_executable: 'false'\n",
            "interpreter",
            "false ends with exit code 1".into(),
            "run it by hand",
        ),
        (
            "job_type: local\ntmie: 3\n",
            "settings",
            "job.yaml:2:1: unknown field `tmie`".into(),
            "mend the settings",
        ),
    ];
    for (settings, subject, what, advice) in cases {
        stage.write("job.yaml", settings);
        let ran = check(&stage, &[]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), ""), "{ran:?}");
        let is_it = |line: &str| {
            let start = format!("problem  {subject}");
            line.starts_with(&start) && line.contains(&what) && line.contains(advice)
        };
        assert!(ran.stdout.lines().any(is_it), "{ran:?}");
    }
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
            "job_type: slurm_conda\nactivate_script: .\n",
            &[("activation", "is not a file; mend `activate_script`")],
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
