//! Jobs that never come to run their evaluator.

use sortie_results::{Fault, Outcome};

use super::{Cluster, Site, on_both};
use crate::GOOD;

on_both! {
    an_activation_that_fails a_module_that_is_missing an_interpreter_that_is_missing
    a_python_of_another_name an_unknown_partition what_cannot_be_submitted_leaves_its_directory
}

async fn set_up_failed(site: &Site, config: sortie_config::SlurmCondaJobConfig) -> String {
    let results = site.run(config).await;
    let Outcome::SetupFailed { reason, fault: Fault::Setup } = results.outcome else {
        panic!("{results:?}")
    };
    assert_eq!((results.fault, results.correct), (Some(Fault::Setup), false));
    assert_eq!(results.stdout_log.text(), "");
    format!("{reason}\n{}", results.stderr_log.text())
}

async fn an_activation_that_fails(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    crate::write(&site.path("activate.sh"), "echo no such place >&2\nfalse");
    let mut config = site.config();
    config.activate_script = Some(site.path("activate.sh"));
    let told = set_up_failed(&site, config.clone()).await;
    assert!(told.starts_with("activate script: status 1 on "), "{told}");
    let reason = told.lines().next().unwrap_or_default();
    assert!(reason.ends_with("activate.sh: line 2: `false`: no such place"), "{told}");

    crate::write(&site.path("activate.sh"), "no-such-program --at all");
    let told = set_up_failed(&site, config.clone()).await;
    let words = "line 1: `no-such-program --at all`: ";
    let reason = told.lines().next().unwrap_or_default();
    assert!(reason.contains(words) && reason.ends_with("command not found"), "{told}");

    config.activate_script = None;
    config.conda_env = "no-such-environment".into();
    let told = set_up_failed(&site, config).await;
    assert!(told.starts_with("conda"), "{told}");
}

async fn a_module_that_is_missing(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.modules = vec!["no/such/module".into()];
    let told = set_up_failed(&site, config).await;
    assert!(told.starts_with("module"), "{told}");
    assert!(told.contains("\"module\" is not to be found") || told.contains("no/such/module"));
}

async fn an_interpreter_that_is_missing(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    crate::write(&site.path("activate.sh"), "PATH=/no/such/dir");
    let mut config = site.config();
    config.activate_script = Some(site.path("activate.sh"));
    let told = set_up_failed(&site, config).await;
    assert!(told.starts_with("python: status 127 on "), "{told}");
    assert!(told.contains("PATH is /no/such/dir"), "{told}");
}

/// By a path, or by a name that is looked up there.
async fn a_python_of_another_name(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    std::fs::rename(site.path("bin/python"), site.path("bin/snake")).unwrap();
    let mut config = site.config();
    for python in [site.path("bin/snake"), "snake".into()] {
        config.python_executable = Some(python);
        let results = site.run(config.clone()).await;
        assert!(results.correct, "{results:?}");
    }
    config.python_executable = Some("/no/such/python3".into());
    let told = set_up_failed(&site, config).await;
    assert!(told.starts_with("python: status 127 on "), "{told}");
    let reason = told.lines().next().unwrap_or_default();
    assert!(reason.contains(": /no/such/python3: not found once"), "{told}");
    assert!(reason.ends_with("set `python_executable` to a Python of the nodes"), "{told}");
}

async fn an_unknown_partition(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.partition = "nowhere".into();
    config.infrastructure_retries = 2;
    let results = site.run(config).await;
    let Outcome::SubmitFailed { reason, fault: Fault::Setup } = results.outcome else {
        panic!("{results:?}")
    };
    assert!(reason.contains("invalid partition specified: nowhere"), "{reason}");
    assert_eq!(results.fault, Some(Fault::Setup));
    // Its end is recorded, so that the directory can be used again.
    assert!(site.run(site.config()).await.correct);
    let previous = site.path("previous").with_file_name("results/previous");
    assert!(previous.join(results.attempt.to_string()).join("job.json").exists());
}

/// Of an array, only those that are at fault.
async fn what_cannot_be_submitted_leaves_its_directory(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let scheduler = site.scheduler(site.config());
    let (missing, there) = (site.path("missing"), site.path("candidate"));
    let candidates = [&missing, &there, &there, &missing];
    let pairs = candidates.iter().zip(0..).map(|(c, i)| (c, site.path(&format!("results {i}"))));
    let mut outcomes = Vec::new();
    for job in scheduler.submit_many(pairs) {
        outcomes.push(scheduler.wait(job.unwrap()).await.unwrap().outcome.clone());
    }
    for refused in [&outcomes[0], &outcomes[3]] {
        assert!(matches!(refused, Outcome::NotStarted { fault: Fault::Setup, .. }), "{refused:?}");
    }
    assert_eq!(outcomes[1..3], [Outcome::Exited { code: 0 }, Outcome::Exited { code: 0 }]);
    for i in 0..4 {
        let run = scheduler.run(&there, site.path(&format!("results {i}"))).await.unwrap();
        assert!(run.0.correct, "{:?}", run.0);
    }
}
