//! Containers under Slurm: a real one of each, from `cargo xtask test`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sortie_config::{JobType, SlurmDockerJobConfig, TimeLimit};
use sortie_results::{AttemptId, Fault, Outcome, Results};
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use tempfile::TempDir;

use crate::eventually;

const GOOD: &str = r#"
with open(f"{args.results_dir}/metrics.json", "w") as file: json.dump({"combined_score": 1.5}, file)
with open(f"{args.results_dir}/correct.json", "w") as file: json.dump({"correct": True}, file)
"#;

/// An evaluator in Python, a candidate, and the two engines.
struct Stage {
    dir: TempDir,
    env: Vec<(OsString, OsString)>,
}

impl Stage {
    /// `None` with `SORTIE_TEST_QUICK=1`.
    fn new(evaluator: &str) -> Option<Self> {
        if std::env::var_os("SORTIE_TEST_QUICK").is_some_and(|quick| quick == "1") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let head = "import argparse, json, os, signal, subprocess, sys, time\n\
                    parser = argparse.ArgumentParser()\n\
                    parser.add_argument('--program_path'); parser.add_argument('--results_dir')\n\
                    args = parser.parse_args()\n";
        fs::write(dir.path().join("evaluate.py"), format!("{head}{evaluator}")).unwrap();
        fs::write(dir.path().join("candidate.py"), "").unwrap();
        let mut env: Vec<_> = std::env::vars_os().collect();
        env.push(("SLURM_CONF".into(), variable("SLURM_CONF").into()));
        env.push(("DOCKER_HOST".into(), variable("DOCKER_HOST").into()));
        Some(Self { dir, env })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> SlurmDockerJobConfig {
        let mut config = SlurmDockerJobConfig {
            eval_program_path: self.path("evaluate.py"),
            image: variable("PYTHON_IMAGE"),
            network: Some("none".into()),
            gpus: 0.into(),
            mem: Some("200M".parse().unwrap()),
            infrastructure_retries: 0,
            ..SlurmDockerJobConfig::default()
        };
        // Less than the private Slurm's KillWait.
        config.limits.grace = Duration::from_secs(2);
        config
    }

    fn scheduler(&self, config: SlurmDockerJobConfig) -> JobScheduler {
        let options = SchedulerOptions { env: Some(self.env.clone()), ..Default::default() };
        JobScheduler::new(JobType::SlurmDocker, config, options).unwrap()
    }

    /// Runs the evaluator once; no container is left.
    async fn run(&self, config: SlurmDockerJobConfig) -> Results {
        let scheduler = self.scheduler(config);
        let run = scheduler.run(self.path("candidate.py"), self.path("results"));
        let results = run.await.unwrap().0;
        assert_eq!(self.containers(results.attempt), "");
        results
    }

    fn containers(&self, attempt: AttemptId) -> String {
        self.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={attempt}")])
    }

    #[expect(clippy::disallowed_methods, reason = "what a person would look with")]
    fn docker(&self, args: &[&str]) -> String {
        let mut docker = Command::new("docker");
        let output =
            docker.args(args).env("DOCKER_HOST", variable("DOCKER_HOST")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn appears(&self, name: &str) {
        let path = self.path(name);
        eventually(&format!("{name} to appear"), || path.exists()).await;
    }
}

fn variable(name: &str) -> String {
    let name = format!("SORTIE_TEST_{name}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or SORTIE_TEST_QUICK=1 to do without")
    })
}

fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

#[tokio::test]
async fn a_good_candidate() {
    let Some(stage) = Stage::new(GOOD) else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    assert!(results.correct);
    assert_eq!(owner(&stage.path("results/metrics.json")), owner(&stage.path("candidate.py")));
}

#[tokio::test]
async fn ends_are_told_apart() {
    let Some(stage) = Stage::new("sys.exit(3)") else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!(
        (results.outcome, results.fault),
        (Outcome::Exited { code: 3 }, Some(Fault::Candidate))
    );

    let Some(stage) = Stage::new("x = bytearray(1 << 30); time.sleep(60)") else { return };
    let results = stage.run(stage.config()).await;
    assert_eq!((results.outcome, results.fault), (Outcome::OutOfMemory, Some(Fault::Candidate)));

    let missing = SlurmDockerJobConfig {
        image: "localhost/none:1".into(),
        pull: sortie_config::PullPolicy::Never,
        ..stage.config()
    };
    let results = stage.run(missing).await;
    assert!(matches!(results.outcome, Outcome::SetupFailed { .. }), "{}", results.outcome);
    assert_eq!(results.fault, Some(Fault::Setup));
}

/// Ignores SIGTERM, with a child that does too.
const STUBBORN: &str = r#"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
open(f"{args.results_dir}/started", "w").close()
time.sleep(1000)
"#;

#[tokio::test]
async fn a_cancelled_job_leaves_no_container() {
    let Some(stage) = Stage::new(STUBBORN) else { return };
    let scheduler = stage.scheduler(stage.config());
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    scheduler.cancel(&[job]);
    let results = scheduler.wait(job).await.unwrap();
    assert_eq!(results.outcome, Outcome::Cancelled);
    assert_eq!(stage.containers(results.attempt), "");
}

#[tokio::test]
async fn a_time_limit_holds_for_the_container() {
    let Some(stage) = Stage::new(STUBBORN) else { return };
    // The least that Slurm knows.
    let time = TimeLimit::from_seconds(60).unwrap();
    let results = stage.run(SlurmDockerJobConfig { time, ..stage.config() }).await;
    assert!(matches!(results.outcome, Outcome::TimedOut { .. }), "{}", results.outcome);
}

#[tokio::test]
async fn many_jobs_with_one_archive() {
    let Some(stage) = Stage::new(GOOD) else { return };
    let archive = Some(variable("PYTHON_TAR").into());
    let config = SlurmDockerJobConfig { image_tar_path: archive, ..stage.config() };
    let scheduler = stage.scheduler(config);
    let dirs =
        (0..20).map(|number| (stage.path("candidate.py"), stage.path(&format!("r{number}"))));
    for job in scheduler.submit_many(dirs) {
        let results = scheduler.wait(job.unwrap()).await.unwrap();
        assert!(results.correct, "{}", results.outcome);
        assert_eq!(stage.containers(results.attempt), "");
    }
}
