//! Real evaluators on real clusters: the private Slurms of `cargo xtask slurm up`, which the two
//! variables name. And what no real one can be made to do, with shims of its commands.

mod array;
mod clock;
mod daemons;
mod deadlines;
mod ends;
mod environment;
mod evaluators;
mod killed;
mod limits;
mod others;
mod paused;
mod setup;
pub(crate) mod shims;
mod stops;

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sortie_config::{JobType, SlurmCondaJobConfig};
use sortie_results::Results;
use sortie_scheduler::{JobId, JobScheduler, SchedulerOptions, Status};

use crate::Stage;

/// In place of Python, which the evaluators do not need: a shell.
const PYTHON: &str = "#!/bin/sh\n[ \"$1\" != --version ] || exit 0\nexec sh \"$@\"\n";

#[derive(Debug, Clone, Copy)]
enum Flavour {
    Plain,
    Accounting,
}

/// A running cluster, and how a test has it.
#[derive(Clone)]
struct Cluster {
    conf: PathBuf,
    /// Those who only submit share it; one who stops its daemons has it alone. Other test programs
    /// heed it, too.
    _lock: Arc<File>,
}

impl Flavour {
    fn conf(self) -> PathBuf {
        let variable = match self {
            Self::Plain => "SORTIE_TEST_SLURM_CONF",
            Self::Accounting => "SORTIE_TEST_SLURM_ACCOUNTING_CONF",
        };
        match std::env::var_os(variable) {
            Some(conf) => conf.into(),
            None => panic!("{variable} does not name a slurm.conf: run `cargo xtask test`"),
        }
    }

    /// The cluster, shared with other tests.
    fn shared(self) -> Cluster {
        self.cluster(File::lock_shared)
    }

    /// The cluster, for this test alone.
    fn alone(self) -> Cluster {
        self.cluster(File::lock)
    }

    fn cluster(self, lock: impl Fn(&File) -> std::io::Result<()>) -> Cluster {
        let conf = self.conf();
        let file = File::create(conf.with_extension("tests.lock")).unwrap();
        lock(&file).unwrap();
        Cluster { conf, _lock: Arc::new(file) }
    }
}

impl Cluster {
    /// What a setting in slurm.conf says.
    fn setting(&self, name: &str) -> String {
        let conf = fs::read_to_string(&self.conf).unwrap();
        let value = conf.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{name} in {}", self.conf.display())).to_owned()
    }

    /// After so long a job that is over is forgotten: twice `MinJobAge` at most.
    fn forgets_after(&self) -> Duration {
        let seconds = self.setting("MinJobAge").parse().unwrap();
        2 * Duration::from_secs(seconds) + Duration::from_secs(5)
    }

    /// What one of Slurm's programs prints on standard output.
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    fn slurm(&self, program: &str, args: &[&str]) -> String {
        let mut command = std::process::Command::new(program);
        command.args(args).env("SLURM_CONF", &self.conf);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts one of its daemons, which holds on to what it is given as standard output.
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    fn start(&self, daemon: &str, args: &[&str]) {
        let mut command = std::process::Command::new(daemon);
        command.arg("-f").arg(&self.conf).args(args).env("SLURM_CONF", &self.conf);
        let nowhere = std::process::Stdio::null;
        command.stdin(nowhere()).stdout(nowhere()).stderr(nowhere());
        assert!(command.status().unwrap().success(), "{daemon} does not start");
    }
}

/// An evaluator and a candidate, and what a cluster's jobs need in addition.
struct Site {
    stage: Stage,
    cluster: Cluster,
}

impl Site {
    fn new(cluster: Cluster, script: &str) -> Self {
        let site = Self { stage: Stage::new(script), cluster };
        program(&site.path("bin/python"), PYTHON);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn config(&self) -> SlurmCondaJobConfig {
        config(&self.stage)
    }

    /// The environment of a launcher on this site, with `first` on its `PATH` before the rest.
    fn env(&self, first: &[PathBuf]) -> Vec<(OsString, OsString)> {
        let conf = self.cluster.conf.clone().into_os_string();
        env(&[first, &[self.path("bin")]].concat(), &[("SLURM_CONF", conf)])
    }

    fn scheduler(&self, config: SlurmCondaJobConfig) -> JobScheduler {
        scheduler(config, self.env(&[]))
    }

    /// Runs the evaluator once, into `results`; nothing of it is left.
    async fn run(&self, config: SlurmCondaJobConfig) -> Results {
        let scheduler = self.scheduler(config);
        let run = scheduler.run(self.path("candidate"), self.path("results"));
        let results = run.await.unwrap().0;
        self.leaves_nothing().await;
        results
    }

    /// Slurm's own helpers that still have the job's environment take a moment to leave.
    async fn leaves_nothing(&self) {
        let give_up = Instant::now() + Duration::from_secs(120);
        loop {
            let left = self.stage.processes();
            let command = |pid| fs::read_to_string(format!("/proc/{pid}/cmdline"));
            let commands = || left.iter().map(command).collect::<Vec<_>>();
            if left.is_empty() {
                return;
            }
            assert!(
                Instant::now() < give_up,
                "left of {}: {:?}",
                self.read("evaluate.sh"),
                commands()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn appears(&self, name: &str) {
        self.stage.appears(name).await;
    }

    /// The id with Slurm of the job that runs in this results dir.
    fn slurm_id(&self, results: &str) -> String {
        let start = self.read(&format!(".sortie/{results}/job_start.json"));
        let (_, rest) = start.split_once("\"job_id\":\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

fn program(path: &Path, text: &str) {
    crate::write(path, text);
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// Small jobs, each with one attempt.
fn config(stage: &Stage) -> SlurmCondaJobConfig {
    let mut config = SlurmCondaJobConfig {
        eval_program_path: stage.path("evaluate.sh"),
        time: "10".parse().unwrap(),
        gpus: 0.into(),
        mem: Some("200M".parse().unwrap()),
        infrastructure_retries: 0,
        ..SlurmCondaJobConfig::default()
    };
    config.limits.grace = Duration::from_millis(500);
    let mark = stage.dir.path().to_str().unwrap().to_owned();
    config.environment.set.insert("SORTIE_TEST_MARK".into(), mark);
    config
}

/// This program's environment, with `first` on its `PATH` before the rest, and what is `given`.
pub(crate) fn env(first: &[PathBuf], given: &[(&str, OsString)]) -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap();
    let path = first.iter().cloned().chain(std::env::split_paths(&path));
    let path = ("PATH".into(), std::env::join_paths(path).unwrap());
    let given = given.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    let given: Vec<_> = given.chain([path]).collect();
    let is_given = |name: &OsString| given.iter().any(|(given, _)| given == name);
    let others = std::env::vars_os().filter(|(name, _)| !is_given(name));
    others.chain(given.clone()).collect()
}

fn scheduler(config: SlurmCondaJobConfig, env: Vec<(OsString, OsString)>) -> JobScheduler {
    let options = SchedulerOptions { env: Some(env), ..SchedulerOptions::default() };
    JobScheduler::new(JobType::SlurmConda, config, options).unwrap()
}

/// Waits, four minutes at most, until the job waits in the queue for a reason like this.
async fn waits_for(scheduler: &JobScheduler, job: JobId, wanted: &str) -> String {
    let give_up = Instant::now() + Duration::from_secs(240);
    loop {
        match scheduler.status(job).unwrap() {
            Status::Queued { reason: Some(reason) } if reason.contains(wanted) => {
                return reason.to_string();
            }
            status => assert!(Instant::now() < give_up, "waited for {wanted}: {status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a test does, which takes ten minutes at most.
async fn in_time<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(600), test).await.unwrap()
}

/// Makes two tests of each function: with accounting, and without. One that hangs fails.
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            use crate::slurm::Flavour::{Accounting, Plain};

            #[tokio::test]
            #[ignore = "needs Slurm: cargo xtask test"]
            async fn plain() {
                $crate::slurm::in_time(super::$name(Plain.shared())).await;
            }

            #[tokio::test]
            #[ignore = "needs Slurm: cargo xtask test"]
            async fn accounting() {
                $crate::slurm::in_time(super::$name(Accounting.shared())).await;
            }
        }
    )*};
}
use on_both;
