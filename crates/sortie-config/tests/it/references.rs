//! `${…}` and `???` in files of the reference.

use sortie_config::{JobConfig, Layers};

fn path(text: &str) -> Result<String, String> {
    let config = JobConfig::from_yaml(text, "job.yaml").map_err(|error| error.to_string())?;
    Ok(config.spec().evaluator.display().to_string())
}

fn job(path: &str, rest: &str) -> String {
    format!(
        "{rest}\njob_config:\n  _target_: shinka.launch.LocalJobConfig\n  eval_program_path: {path}\n"
    )
}

#[test]
fn they_stand_within_texts_too() {
    for (written, rest, read) in [
        ("${task.dir}/evaluate.py", "task: {dir: tasks/a}", "tasks/a/evaluate.py"),
        ("\"${task.dir}/evaluate.py\"", "task: {dir: tasks/a}", "tasks/a/evaluate.py"),
        (
            "${root}/${task.name}/e_${seed}.py",
            "root: /r\ntask: {name: a}\nseed: 010",
            "/r/a/e_8.py",
        ),
        ("${task.dir}/e.py", "root: /r\ntask: {dir: '${root}/t'}", "/r/t/e.py"),
        ("${dirs[1]}/e.py", "dirs: [a, b]", "b/e.py"),
        ("${dirs.0}/e.py", "dirs: [a, b]", "a/e.py"),
        (
            "e_${on}_${none}_${x}.py",
            "on_: 1\n\"on\": yes\nnone: null\nx: 1e3",
            "e_True_None_1000.0.py",
        ),
        ("${task.dir}/e.py", "other: {dir: o}\ntask: ${other}", "o/e.py"),
    ] {
        assert_eq!(path(&job(written, rest)).as_deref(), Ok(read), "{written}");
    }
}

#[test]
fn what_cannot_be_worked_out_is_told() {
    for (written, rest, told) in [
        (
            "${task.dir}/e.py",
            "task: {}",
            "`${task.dir}/e.py` needs `${task.dir}`, which is not in this file",
        ),
        ("${oc.env:HOME}/e.py", "", "`${oc.env:HOME}/e.py` needs Hydra to be worked out"),
        ("${.dir}/e.py", "", "needs Hydra to be worked out"),
        ("\\${task.dir}/e.py", "task: {dir: a}", "needs Hydra to be worked out"),
        ("${task}/e.py", "task: {dir: a}", "puts a list or a mapping into a text"),
        ("${task/e.py", "task: a", "has no `}` after its `${`"),
        ("${a}/e.py", "a: '${b}/x'\nb: '${a}/y'", "refers to itself"),
        ("${a}/e.py", "a: ???", "a value is missing"),
        ("???", "", "a value is missing"),
    ] {
        let error = path(&job(written, rest)).unwrap_err();
        assert!(error.contains(told), "{written}: {error}");
        let line =
            job(written, rest).lines().position(|line| line.contains("eval_program_path")).unwrap()
                + 1;
        assert!(
            error.starts_with(&format!("job.yaml:{line}:"))
                || told.contains("itself")
                || rest.contains("???"),
            "{error}"
        );
    }
}

#[test]
fn what_is_set_replaces_what_cannot_be_worked_out() {
    for open in ["${nowhere}/e.py", "${nowhere}", "${oc.env:X}", "???"] {
        let mut layers = Layers::text(&job(open, ""), "job.yaml").unwrap();
        assert!(layers.config().is_err(), "{open}");
        layers.set("--set", "eval_program_path=mine.py").unwrap();
        assert_eq!(layers.config().unwrap().spec().evaluator.display().to_string(), "mine.py");
    }
    let mut layers = Layers::text(&job("???", ""), "job.yaml").unwrap();
    layers.variables([("SORTIE_EVAL_PROGRAM_PATH".into(), "mine.py".into())]).unwrap();
    assert!(layers.config().is_ok());
}

/// In part, where the whole is elsewhere; and what refers to a setting sees what it is set to.
#[test]
fn what_is_set_meets_references() {
    let text = "bounds: {grace_seconds: 1, log_tail_bytes: 10}\n\
                job_config:\n  _target_: shinka.launch.SlurmCondaJobConfig\n  cpus: 2\n  limits: ${bounds}\n  \
                extra_cmd_args: {threads: '${job_config.cpus}', x: a}\n";
    let mut layers = Layers::text(text, "job.yaml").unwrap();
    layers.set("--set", "limits.grace_seconds=3").unwrap();
    layers.set("--set", "cpus=8").unwrap();
    layers.set("--set", "extra_cmd_args.x=${literal}").unwrap();
    layers.set("--set", "extra_cmd_args.y=???").unwrap();
    let config = layers.config().unwrap();
    assert_eq!(
        (config.spec().limits.grace.as_secs(), config.spec().limits.log_tail_bytes),
        (3, 10)
    );
    let printed: Vec<_> = config.spec().args.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(printed, ["threads=8", "x=${literal}", "y=???"]);
}
