//! Settings, scheduler and results together, as a program that embeds them uses them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod embedded;
mod generation;
mod logs;
mod memory;
mod python;
mod records;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sortie_config::JobConfig;
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use tempfile::TempDir;

/// What an evaluator in shell does that finds its candidate correct.
const CORRECT: &str = r#"
echo '{"combined_score": 1.5}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

/// A directory with an evaluator and an empty candidate. What runs of it has its name in the
/// environment.
struct Stage(TempDir);

impl Stage {
    fn new(evaluator: &str) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        fs::write(stage.path("evaluate"), evaluator).unwrap();
        fs::write(stage.path("candidate"), "").unwrap();
        stage
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Settings for the evaluator in YAML, with further ones.
    fn settings(&self, further: &str) -> JobConfig {
        let dir = self.0.path().display();
        let yaml = format!(
            "job_type: local\neval_program_path: {dir}/evaluate\n\
             environment: {{set: {{SORTIE_TEST_MARK: {dir}}}}}\n{further}"
        );
        JobConfig::from_yaml(&yaml, "job.yaml").unwrap()
    }

    /// A scheduler for an evaluator in shell, with further settings.
    fn shell(&self, further: &str) -> JobScheduler {
        scheduler(self.settings(&format!("python_executable: sh\n{further}")), 4)
    }

    /// Fails if anything of its jobs still runs.
    fn is_empty(&self) {
        let mark = format!("SORTIE_TEST_MARK={}", self.0.path().display());
        let has_mark = |pid: &PathBuf| {
            let environ = fs::read(pid.join("environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(entries.filter(has_mark).collect::<Vec<_>>(), [] as [PathBuf; 0]);
    }
}

fn scheduler(config: JobConfig, max_workers: usize) -> JobScheduler {
    let options = SchedulerOptions { max_workers, ..SchedulerOptions::default() };
    JobScheduler::new(config.job_type(), config, options).unwrap()
}

/// Waits, two minutes at most, until something is so.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < give_up, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
