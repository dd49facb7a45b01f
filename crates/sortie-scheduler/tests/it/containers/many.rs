//! Many jobs on one node, with one archive of an image that the node lacks.

use std::fs;

use sortie_config::{SlurmDockerJobConfig, TimeLimit};

use super::{Stage, variable};

/// As many as can be waited for; the tests of the script have two hundred.
const JOBS: usize = 60;

/// For the shell that stands for Python; `$4` is the results dir.
const GOOD: &str = r#"echo '{"correct": true}' >"$4/correct.json"; echo '{}' >"$4/metrics.json""#;

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn one_loads_the_image_and_none_is_left() {
    let stage = Stage::with_text(GOOD);
    let image = format!("localhost/sortie-many-{}:1", std::process::id());
    let archive = archive(&stage, &image);
    let calls = stage.path("calls").display().to_string();
    // Outside of a job, there is no number of one.
    let engine = stage.engine(&format!(r#"echo "$1 ${{SLURM_JOB_ID:-outside}}" >>{calls}"#));
    let config = SlurmDockerJobConfig {
        image: image.clone(),
        image_tar_path: Some(archive.into()),
        engine,
        docker_flags: format!("-v {}:/bin/python:ro", stage.path("python").display()),
        // So much that the node has room for eight at once. Other tests' jobs are not behind them.
        mem: Some("450G".parse().unwrap()),
        partition: "short".into(),
        time: TimeLimit::from_seconds(60).unwrap(),
        ..stage.config()
    };
    let scheduler = stage.scheduler(config);
    let dirs =
        (0..JOBS).map(|number| (stage.path("candidate.py"), stage.path(&format!("r{number}"))));
    for job in scheduler.submit_many(dirs) {
        let results = scheduler.wait(job.unwrap()).await.unwrap();
        assert!(results.correct, "{}", results.outcome);
    }
    assert_eq!(stage.containers_here(), "");
    let calls = fs::read_to_string(stage.path("calls")).unwrap();
    let count = |call: &str| calls.lines().filter(|line| line.starts_with(call)).count();
    // One more is to see whether an evaluator can be run in the image at all.
    assert_eq!((count("load "), count("run ")), (1, JOBS + 1));
    // The first may find what another test has left.
    assert!(count("rm ") > JOBS, "{calls}");
    assert!(!calls.contains("outside"), "{calls}");
    stage.docker(&["rmi", &image]);
}

/// An archive of an image that the engine does not have.
fn archive(stage: &Stage, image: &str) -> String {
    let archive = stage.path("image.tar").display().to_string();
    let container =
        stage.docker(&["create", "--network=none", &variable("BUSYBOX_IMAGE"), "/bin/sh"]);
    let label = format!("LABEL of={image}");
    stage.docker(&["commit", "--change", &label, container.trim(), image]);
    stage.docker(&["rm", container.trim()]);
    stage.docker(&["save", "--output", &archive, image]);
    stage.docker(&["rmi", image]);
    archive
}
