//! What takes the evaluator's place: a program for Python (`probe.py`) or, in place of one that runs as itself, for a shell (`probe.sh`).

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_config::{EvaluatorKind, JobConfig, JobSpec, TimeLimit};
use sortie_results::AttemptId;
use sortie_script::{expect_interpreter, try_executable};

const PYTHON: &str = include_str!("probe.py");
const SHELL: &str = include_str!("probe.sh");

/// The job has so long at most: the image may have to be brought to the node.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 60);

/// What of its logs is read at least, in bytes: all that it says.
const LOG_TAIL: u64 = 64 << 10;

/// The same job with the probe for an evaluator, for a short time and once.
pub(super) fn with_probe(config: &JobConfig, probe: PathBuf) -> JobConfig {
    // A flexible limit has its least beside it.
    let is_flexible = config
        .spec()
        .slurm()
        .is_some_and(|slurm| slurm.sbatch_options().iter().any(|(name, _)| name == "time-min"));
    let time = |time: TimeLimit| {
        let is_long = time.as_duration().is_none_or(|time| time > LONGEST);
        let short = TimeLimit::from_seconds(LONGEST.as_secs()).unwrap_or(time);
        if is_long && !is_flexible { short } else { time }
    };
    macro_rules! probing {
        ($config:expr) => {{
            let mut config = $config.clone();
            config.eval_program_path = probe;
            config.extra_cmd_args.clear();
            config.time = time(config.time);
            config.infrastructure_retries = 0;
            config.limits.log_tail_bytes = config.limits.log_tail_bytes.max(LOG_TAIL);
            config.into()
        }};
    }
    match config {
        JobConfig::SlurmConda(config) => probing!(config),
        JobConfig::SlurmDocker(config) => probing!(config),
        other => other.clone(),
    }
}

/// The probe's text: what tries the evaluator, and the rest.
fn text(spec: &JobSpec) -> String {
    let [program, results, nothing] = ["$program", "$results", ""].map(OsStr::new);
    match (spec.evaluator_kind, spec.container()) {
        (EvaluatorKind::Python, _) => {
            let args = quoted(&sortie_warm::imports_args(program.as_ref()), |word| match word {
                "$program" => "program".to_owned(),
                word => python_quoted(word),
            });
            format!("def trial(program):\n    return [{}]\n\n\n{PYTHON}", args.join(", "))
        }
        (EvaluatorKind::Executable, container) => {
            let look = match container {
                Some(_) => try_executable(program, results, nothing),
                None => expect_interpreter(program),
            };
            let look = quoted(&look, |word| match word {
                "$program" | "$results" => format!("\"{word}\""),
                word => format!("'{}'", word.replace('\'', r"'\''")),
            });
            format!("#!/bin/sh\nlook() {{\n  exec {}\n}}\n{SHELL}", look.join(" "))
        }
    }
}

fn quoted(words: &[OsString], quoted: impl Fn(&str) -> String) -> Vec<String> {
    words.iter().map(|word| quoted(&word.to_string_lossy())).collect()
}

fn python_quoted(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// A directory that is removed with all that is in it.
pub(super) struct OwnDir {
    pub(super) beside: PathBuf,
    dir: PathBuf,
    is_python: bool,
}

impl OwnDir {
    pub(super) fn new(beside: &Path, spec: &JobSpec) -> io::Result<Self> {
        let beside = std::path::absolute(beside)?;
        let dir = beside.join(format!(".sortie-check-{}", AttemptId::generate()));
        fs::create_dir(&dir)?;
        let is_python = spec.evaluator_kind == EvaluatorKind::Python;
        let own = Self { beside, dir, is_python };
        fs::write(own.probe(), text(spec))?;
        fs::set_permissions(own.probe(), Permissions::from_mode(0o755))?;
        Ok(own)
    }

    pub(super) fn probe(&self) -> PathBuf {
        self.dir.join(if self.is_python { "evaluate.py" } else { "evaluate" })
    }

    pub(super) fn results(&self) -> PathBuf {
        self.dir.join("results")
    }
}

impl Drop for OwnDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(dir = %self.dir.display(), %error, "cannot be removed: remove it by hand");
        }
    }
}
