//! A launcher that is killed leaves its jobs in Slurm's hands.

use std::os::unix::process::ExitStatusExt as _;

use sortie_results::{Fault, Outcome, Submitted};

use super::{Cluster, Site, on_both};
use crate::GOOD;

/// Says to a child process, started from this program, where to submit a job.
const INSIDE: &str = "SORTIE_TEST_LAUNCHER";

on_both! { by_sigkill }

async fn by_sigkill(cluster: Cluster) {
    let site = Site::new(
        cluster,
        &format!("touch \"$4/up\"; until [ -e '@GO@' ]; do sleep 0.1; done; {GOOD}"),
    );
    let script = site.read("evaluate.sh").replace("@GO@", site.path("go").to_str().unwrap());
    crate::write(&site.path("evaluate.sh"), &script);
    let mut launcher = launcher(&site);
    site.appears("results/up").await;
    launcher.kill().unwrap();
    assert_eq!(launcher.wait().unwrap().signal(), Some(9));

    let scheduler = site.scheduler(site.config());
    let note = Submitted::read(&site.path("results")).unwrap();
    let results = scheduler.run(site.path("candidate"), site.path("results")).await.unwrap().0;
    let Outcome::NotStarted { reason, fault: Fault::Setup } = results.outcome else {
        panic!("{results:?}")
    };
    assert!(reason.contains(&note.job_name) && reason.contains("attach"), "{reason}");
    // The evaluator's shell; whether there is a `sleep` of its just now is chance.
    assert!(!site.stage.processes().is_empty(), "the job goes on");

    let job = scheduler.attach(site.path("results")).unwrap();
    crate::write(&site.path("go"), "");
    let finished = scheduler.wait(job).await.unwrap();
    assert!(finished.correct && finished.attempt == note.attempt, "{finished:?}");
    assert!(scheduler.run(site.path("candidate"), site.path("results")).await.unwrap().0.correct);
}

#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn launcher(site: &Site) -> std::process::Child {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "slurm::killed::the_one_that_is_killed", "--nocapture"]);
    command.env_clear().envs(site.env(&[])).env(INSIDE, site.stage.dir.path());
    command.stdout(std::process::Stdio::null()).spawn().unwrap()
}

/// Submits a job and stays, in the child process; nothing in the test program itself.
#[tokio::test]
async fn the_one_that_is_killed() {
    let Some(dir) = std::env::var_os(INSIDE) else { return };
    let dir = std::path::PathBuf::from(dir);
    let config = sortie_config::SlurmCondaJobConfig {
        eval_program_path: dir.join("evaluate.sh"),
        gpus: 0.into(),
        environment: {
            let mut environment = sortie_config::EnvironmentPolicy::default();
            let mark = dir.to_str().unwrap().to_owned();
            environment.set.insert("SORTIE_TEST_MARK".into(), mark);
            environment
        },
        ..Default::default()
    };
    let scheduler = super::scheduler(config, std::env::vars_os().collect());
    scheduler.run(dir.join("candidate"), dir.join("results")).await.unwrap();
}
