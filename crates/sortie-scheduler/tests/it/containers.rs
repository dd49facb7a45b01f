//! Where tests of containers take place: an evaluator in Python, a candidate, and the engines of
//! `cargo xtask test`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sortie_config::{JobConfig, LocalDockerJobConfig, SlurmDockerJobConfig};
use sortie_results::{AttemptId, Results};
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use tempfile::TempDir;

use crate::{eventually, quick};

pub(crate) const GOOD: &str = r#"
with open(f"{args.results_dir}/metrics.json", "w") as file: json.dump({"combined_score": 1.5}, file)
with open(f"{args.results_dir}/correct.json", "w") as file: json.dump({"correct": True}, file)
"#;

/// An evaluator in Python, a candidate, and the two engines.
pub(crate) struct Stage {
    dir: PathBuf,
    _removed: Option<TempDir>,
    pub(crate) env: Vec<(OsString, OsString)>,
}

impl Stage {
    /// `None` with `SORTIE_TEST_QUICK=1`.
    pub(crate) fn new(evaluator: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let stage = Self::at(dir.path())?;
        let head = "import argparse, json, os, signal, subprocess, sys, time\n\
                    parser = argparse.ArgumentParser()\n\
                    parser.add_argument('--program_path'); parser.add_argument('--results_dir')\n\
                    args = parser.parse_args()\n";
        fs::write(stage.path("evaluate.py"), format!("{head}{evaluator}")).unwrap();
        fs::write(stage.path("candidate.py"), "").unwrap();
        Some(Self { _removed: Some(dir), ..stage })
    }

    /// One that is there already.
    pub(crate) fn at(dir: impl Into<PathBuf>) -> Option<Self> {
        if quick("a container") {
            return None;
        }
        let mut env: Vec<_> = std::env::vars_os().collect();
        env.push(("SLURM_CONF".into(), variable("SLURM_CONF").into()));
        env.push(("DOCKER_HOST".into(), variable("DOCKER_HOST").into()));
        Some(Self { dir: dir.into(), _removed: None, env })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn config(&self) -> SlurmDockerJobConfig {
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

    pub(crate) fn local(&self) -> LocalDockerJobConfig {
        let mut config = LocalDockerJobConfig {
            eval_program_path: self.path("evaluate.py"),
            image: variable("PYTHON_IMAGE"),
            network: Some("none".into()),
            mem: Some("200M".parse().unwrap()),
            ..LocalDockerJobConfig::default()
        };
        config.limits.grace = Duration::from_secs(1);
        config
    }

    pub(crate) fn scheduler(&self, config: impl Into<JobConfig>) -> JobScheduler {
        let config = config.into();
        let options = SchedulerOptions { env: Some(self.env.clone()), ..Default::default() };
        JobScheduler::new(config.job_type(), config, options).unwrap()
    }

    /// Runs the evaluator once; no container is left.
    pub(crate) async fn run(&self, config: impl Into<JobConfig>) -> Results {
        let scheduler = self.scheduler(config);
        let run = scheduler.run(self.path("candidate.py"), self.path("results"));
        let results = run.await.unwrap().0;
        assert_eq!(self.containers(results.attempt), "");
        results
    }

    pub(crate) fn containers(&self, attempt: AttemptId) -> String {
        self.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={attempt}")])
    }

    /// Those of this stage.
    pub(crate) fn containers_here(&self) -> String {
        let volume = format!("volume={}", self.dir.display());
        self.docker(&["ps", "--all", "--quiet", "--filter", &volume])
    }

    /// Waits until there is none of this stage.
    pub(crate) async fn has_no_containers(&self) {
        eventually("the container to go", || self.containers_here().is_empty()).await;
    }

    /// Starts this program once more, to run one of its tests as a launcher that can be killed; `inside` is
    /// the variable that tells it where.
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    pub(crate) fn launcher(&self, test: &str, inside: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test]).env(inside, &self.dir).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "what a person would look with")]
    #[expect(clippy::unused_self, reason = "the engine is the stage's")]
    fn docker(&self, args: &[&str]) -> String {
        let mut docker = Command::new("docker");
        let output =
            docker.args(args).env("DOCKER_HOST", variable("DOCKER_HOST")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn appears(&self, name: &str) {
        let path = self.path(name);
        eventually(&format!("{name} to appear"), || path.exists()).await;
    }
}

pub(crate) fn variable(name: &str) -> String {
    let name = format!("SORTIE_TEST_{name}");
    std::env::var(&name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test`, or SORTIE_TEST_QUICK=1 to do without")
    })
}

pub(crate) fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

/// Ignores SIGTERM, with a child that does too.
pub(crate) const STUBBORN: &str = r#"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
open(f"{args.results_dir}/started", "w").close()
time.sleep(1000)
"#;

/// Says when it is told to end, and does.
pub(crate) const BUSY: &str = r#"
def told(*_):
    open(f"{args.results_dir}/told", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, told)
open(f"{args.results_dir}/started", "w").close()
time.sleep(1000)
"#;
