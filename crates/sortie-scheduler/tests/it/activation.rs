//! Conda and sourced environments.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use sortie_config::LocalJobConfig;
use sortie_results::{Fault, Outcome};

use crate::{Stage, scheduler_with, write};

/// A real environment: a Python of its own, a variable, a hook.
fn environment(stage: &Stage, hook: Option<&str>) -> String {
    let prefix = stage.path("envs/eval env");
    write(&prefix.join("conda-meta/state"), r#"{"env_vars": {"FROM_STATE": "$(id) 7"}}"#);
    if let Some(hook) = hook {
        write(&prefix.join("etc/conda/activate.d/hook.sh"), hook);
    }
    fs::create_dir(prefix.join("bin")).unwrap();
    symlink("/bin/sh", prefix.join("bin/python")).unwrap();
    prefix.to_str().unwrap().to_owned()
}

fn conda(stage: &Stage, env: &str) -> LocalJobConfig {
    LocalJobConfig { conda_env: Some(env.into()), python_executable: None, ..stage.config() }
}

fn sourced(stage: &Stage, script: &str) -> LocalJobConfig {
    write(&stage.path("activate it.sh"), script);
    let activate_script = Some(stage.path("activate it.sh"));
    LocalJobConfig { activate_script, python_executable: None, ..stage.config() }
}

const TELL: &str = r#"echo "$FROM_STATE,$FROM_HOOK,$CONDA_PREFIX,${PATH%%:*}""#;

#[tokio::test]
async fn a_conda_environment_with_and_without_hooks() {
    for hook in [None, Some("export FROM_HOOK=\"hooked $CONDA_PREFIX\"\n")] {
        let stage = Stage::new(&format!("{TELL}\n{}", crate::GOOD));
        let prefix = environment(&stage, hook);
        let results = stage.run(&scheduler_with(conda(&stage, &prefix), 1)).await;
        assert!(results.correct, "{results:?}");
        let from_hook = hook.map(|_| format!("hooked {prefix}")).unwrap_or_default();
        let expected = format!("$(id) 7,{from_hook},{prefix},{prefix}/bin\n");
        assert_eq!(results.stdout_log.text(), expected);
    }
}

#[tokio::test]
async fn an_environment_that_is_not_there_runs_nothing() {
    let stage = Stage::new("touch \"$4/ran\"");
    let results = stage.run(&scheduler_with(conda(&stage, "no-such-env"), 1)).await;
    let Outcome::NotStarted { reason, fault: Fault::Setup } = &results.outcome else {
        panic!("{:?}", results.outcome);
    };
    assert!(reason.starts_with("no Conda environment `no-such-env`"), "{reason}");
    assert!(!stage.path("results/ran").exists());

    // Nor does one without a Python of its own take another's.
    let prefix = environment(&stage, None);
    fs::remove_file(format!("{prefix}/bin/python")).unwrap();
    let results = stage.run(&scheduler_with(conda(&stage, &prefix), 1)).await;
    let Outcome::NotStarted { reason, .. } = &results.outcome else { panic!("{results:?}") };
    assert!(reason.contains("has no Python") && reason.contains("bin/python does not exist"));
}

#[tokio::test]
async fn a_hook_that_ends_the_shell_is_a_failed_set_up() {
    let stage = Stage::new("touch \"$4/ran\"");
    let prefix = environment(&stage, Some("echo broken hook >&2; exit 3\n"));
    let results = stage.run(&scheduler_with(conda(&stage, &prefix), 1)).await;
    let Outcome::SetupFailed { reason, fault: Fault::Setup } = &results.outcome else {
        panic!("{:?}", results.outcome);
    };
    assert!(reason.contains("exit code 3") && reason.contains(&prefix), "{reason}");
    assert!(results.stderr_log.text().contains("broken hook"));
    assert!(!stage.path("results/ran").exists());
}

#[tokio::test]
async fn a_sourced_script() {
    let stage = Stage::new(&format!("echo \"$FROM_SCRIPT\"\n{}", crate::GOOD));
    let bin = stage.path("bin");
    fs::create_dir(&bin).unwrap();
    symlink("/bin/sh", bin.join("python")).unwrap();
    let script = format!("export FROM_SCRIPT=sourced PATH='{}':$PATH\n", bin.display());
    let results = stage.run(&scheduler_with(sourced(&stage, &script), 1)).await;
    assert!(results.correct, "{results:?}");
    assert_eq!(results.stdout_log.text(), "sourced\n");
}

#[tokio::test]
async fn a_sourced_script_that_fails_runs_nothing() {
    let stage = Stage::new("touch \"$4/ran\"");
    let fails = "echo cannot load >&2; false; export FROM_SCRIPT=sourced\n";
    let results = stage.run(&scheduler_with(sourced(&stage, fails), 1)).await;
    assert_eq!(results.fault, Some(Fault::Setup));
    assert!(matches!(&results.outcome, Outcome::SetupFailed { .. }), "{:?}", results.outcome);
    assert!(results.stderr_log.text().contains("cannot load"));

    let config = LocalJobConfig {
        activate_script: Some(stage.path("missing.sh")),
        python_executable: None,
        ..stage.config()
    };
    let results = stage.run(&scheduler_with(config, 1)).await;
    assert!(matches!(&results.outcome, Outcome::NotStarted { .. }), "{:?}", results.outcome);
    assert!(!stage.path("results/ran").exists());
}

#[tokio::test]
async fn a_sourced_script_that_runs_into_a_limit_is_not_the_candidates_fault() {
    let stage = Stage::new("touch \"$4/ran\"");
    for (script, time, said) in [
        ("sleep 600\n", "00:00:01", "the time limit of 1 s"),
        ("yes\n", "00:10:00", "a log beyond 1048576 bytes"),
    ] {
        let mut config = sourced(&stage, script);
        config.time = Some(time.parse().unwrap());
        (config.limits.max_log_bytes, config.limits.grace) = (1 << 20, Duration::from_millis(100));
        let results = stage.run(&scheduler_with(config, 1)).await;
        let Outcome::SetupFailed { reason, fault: Fault::Setup } = &results.outcome else {
            panic!("{:?}", results.outcome);
        };
        assert!(reason.contains(said), "{reason}");
        assert!(!stage.path("results/ran").exists());
    }
}

/// Orientation only, far from the 30 ms that activation may cost: `cargo xtask bench local` measures.
#[tokio::test]
async fn activation_takes_no_conda() {
    let stage = Stage::new(crate::GOOD);
    let prefix = environment(&stage, Some("export FROM_HOOK=1\n"));
    let scheduler = scheduler_with(conda(&stage, &prefix), 1);
    let from = Instant::now();
    for _ in 0..5 {
        assert!(stage.run(&scheduler).await.correct);
    }
    println!("{:?} a job with activation", from.elapsed() / 5);
}
