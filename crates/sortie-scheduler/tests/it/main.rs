//! Real evaluators on this machine, through the public API.
#![allow(missing_docs, clippy::unwrap_used)]

mod activation;
mod apptainer;
mod cancelling;
mod compiled;
mod containers;
mod devices;
mod environment;
mod evaluators;
mod events;
mod faults;
mod handle;
mod hanging;
mod hung;
mod lifecycle;
mod many;
mod refusals;
mod slurm;
mod vandals;
mod warm;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sortie_config::{JobType, LocalJobConfig};
use sortie_results::Results;
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use tempfile::TempDir;

/// What a good evaluator does at its end; `$4` is the results dir.
const GOOD: &str = r#"echo '{"combined_score": 1.5}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

/// A directory with an evaluator, which is a shell script for want of a need for Python, and a
/// candidate. Its processes can be found by the directory's name, which is in their environment.
struct Stage {
    dir: TempDir,
}

impl Stage {
    /// An evaluator that runs `script`; `$2` is the candidate and `$4` the results dir.
    fn new(script: &str) -> Self {
        let stage = Self { dir: tempfile::tempdir().unwrap() };
        fs::write(stage.path("evaluate.sh"), script).unwrap();
        fs::write(stage.path("candidate"), "").unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> LocalJobConfig {
        let mut config = LocalJobConfig {
            eval_program_path: self.path("evaluate.sh"),
            python_executable: Some("sh".into()),
            ..LocalJobConfig::default()
        };
        let mark = self.dir.path().to_str().unwrap().to_owned();
        config.environment.set.insert("SORTIE_TEST_MARK".into(), mark);
        config
    }

    fn scheduler(&self) -> JobScheduler {
        scheduler_with(self.config(), 4)
    }

    /// Runs the evaluator once, into `results`; nothing of it is left.
    async fn run(&self, scheduler: &JobScheduler) -> Results {
        let run = scheduler.run(self.path("candidate"), self.path("results"));
        let results = run.await.unwrap().0;
        assert_eq!(self.processes(), [] as [String; 0]);
        results
    }

    /// The processes that have this stage's mark, in `/proc`.
    fn processes(&self) -> Vec<String> {
        let mark = format!("SORTIE_TEST_MARK={}", self.dir.path().display());
        let entries = fs::read_dir("/proc").unwrap();
        let names = entries.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let has_mark = |pid: &String| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        numbers.filter(has_mark).collect()
    }

    async fn appears(&self, name: &str) {
        let path = self.path(name);
        eventually(&format!("{name} to appear"), || path.exists()).await;
    }
}

fn scheduler_with(config: LocalJobConfig, max_workers: usize) -> JobScheduler {
    let options = SchedulerOptions { max_workers, ..SchedulerOptions::default() };
    JobScheduler::new(JobType::Local, config, options).unwrap()
}

/// Waits, two minutes at most, until something is so.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < give_up, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs a program that the test needs, to its end.
#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn run_program(program: &str, args: &[&str]) {
    let output = std::process::Command::new(program).args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&said));
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
