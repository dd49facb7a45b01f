//! Where tests of containers take place: an evaluator in Python, a candidate, and the engines of
//! `cargo xtask test`.

mod both;
mod engine;
mod evaluators;
mod local;
mod many;
mod slurm;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sortie_config::{JobConfig, LocalDockerJobConfig, SlurmDockerJobConfig};
use sortie_results::{AttemptId, Results};
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use tempfile::TempDir;

use crate::eventually;

pub(crate) const GOOD: &str = r#"
with open(f"{args.results_dir}/metrics.json", "w") as file: json.dump({"combined_score": 1.5}, file)
with open(f"{args.results_dir}/correct.json", "w") as file: json.dump({"correct": True}, file)
"#;

/// Ignores SIGTERM, with a child that does too.
const STUBBORN: &str = r#"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
open(f"{args.results_dir}/started", "w").close()
time.sleep(1000)
"#;

/// Says when it is told to end, and does.
const OBEDIENT: &str = r#"
def told(*_):
    open(f"{args.results_dir}/told", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, told)
open(f"{args.results_dir}/started", "w").close()
time.sleep(1000)
"#;

/// In place of Python, in an image that has a shell alone.
const SHELL: &str = "#!/bin/sh\nexec /bin/sh \"$@\"\n";

/// An evaluator, a candidate, and the two engines.
pub(crate) struct Stage {
    dir: PathBuf,
    _removed: Option<TempDir>,
    pub(crate) env: Vec<(OsString, OsString)>,
}

impl Stage {
    /// With an evaluator in Python.
    pub(crate) fn new(evaluator: &str) -> Self {
        let head = "import argparse, json, os, signal, subprocess, sys, time\n\
                    parser = argparse.ArgumentParser()\n\
                    parser.add_argument('--program_path'); parser.add_argument('--results_dir')\n\
                    args, rest = parser.parse_known_args()\n";
        Self::with_text(&format!("{head}{evaluator}"))
    }

    fn with_text(evaluator: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stage = Self::at(dir.path());
        fs::write(stage.path("evaluate.py"), evaluator).unwrap();
        fs::write(stage.path("candidate.py"), "").unwrap();
        stage.program("python", SHELL);
        Self { _removed: Some(dir), ..stage }
    }

    /// One that is there already.
    fn at(dir: impl Into<PathBuf>) -> Self {
        let mut env: Vec<_> = std::env::vars_os().collect();
        env.push(("SLURM_CONF".into(), variable("SLURM_CONF").into()));
        env.push(("DOCKER_HOST".into(), variable("DOCKER_HOST").into()));
        Self { dir: dir.into(), _removed: None, env }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A results dir into which anybody may write.
    fn results_for_all(&self) {
        fs::create_dir(self.path("results")).unwrap();
        let all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(self.path("results"), all).unwrap();
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command for the tests' engine, where the environment does not say which it is.
    fn engine_of_its_own(&self) -> String {
        self.engine(&format!("export DOCKER_HOST='{}'", variable("DOCKER_HOST")))
    }

    /// An engine's command that does this before it becomes the engine's, with its arguments.
    fn engine(&self, text: &str) -> String {
        fs::create_dir(self.path("bin")).unwrap();
        let path = std::env::var("PATH").unwrap();
        let text = format!("#!/bin/sh\n{text}\nPATH='{path}' exec docker \"$@\"\n");
        self.program("bin/docker", &text);
        self.path("bin/docker").to_str().unwrap().to_owned()
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
        config.limits.grace = Duration::from_secs(2);
        config
    }

    fn local(&self) -> LocalDockerJobConfig {
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
    async fn run(&self, config: impl Into<JobConfig>) -> Results {
        let scheduler = self.scheduler(config);
        let run = scheduler.run(self.path("candidate.py"), self.path("results"));
        let results = run.await.unwrap().0;
        assert_eq!(self.containers(results.attempt), "");
        results
    }

    fn containers(&self, attempt: AttemptId) -> String {
        self.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={attempt}")])
    }

    /// Those of this stage.
    fn containers_here(&self) -> String {
        self.containers_as("{{.Names}}")
    }

    fn containers_as(&self, format: &str) -> String {
        let volume = format!("volume={}", self.dir.display());
        self.docker(&["ps", "--all", "--filter", &volume, "--format", format])
    }

    /// Waits until there is none of this stage.
    pub(crate) async fn has_no_containers(&self) {
        eventually("the container to go", || self.containers_here().is_empty()).await;
    }

    /// Starts this program once more, to run one of its tests as a launcher that can be killed; `inside` is
    /// the variable that tells it where.
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    fn launcher(&self, test: &str, inside: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test]).env(inside, &self.dir).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    /// What Docker's command prints, for the engine that jobs of this stage use.
    #[expect(clippy::disallowed_methods, reason = "what a person would look with")]
    fn docker(&self, args: &[&str]) -> String {
        let mut docker = Command::new("docker");
        let output = docker.args(args).envs(self.env.iter().cloned()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits, two minutes at most: other tests have Slurm and the engines do a lot.
    pub(crate) async fn appears(&self, name: &str) {
        let give_up = Instant::now() + Duration::from_secs(120);
        while !self.path(name).exists() {
            assert!(Instant::now() < give_up, "waited for {name} to appear");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn variable(name: &str) -> String {
    let name = format!("SORTIE_TEST_{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}

fn owner(path: &Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}
