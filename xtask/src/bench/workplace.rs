//! What is evaluated, and where the results go.

use std::{
    cell::Cell,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};
use sortie_config::LocalJobConfig;
use xshell::{Shell, cmd};

use crate::workspace;

const TRIVIAL: &str = "xtask/src/bench/evaluators/trivial.py";
const NATIVE: &str = "xtask/src/bench/evaluators/native.rs";

/// An evaluator, as all contenders run it.
#[derive(Debug, Clone)]
pub(crate) struct Evaluator {
    /// What runs it.
    pub(crate) interpreter: PathBuf,
    pub(crate) program: PathBuf,
    /// The Conda environment that is activated first, if one is.
    conda_env: Option<PathBuf>,
}

impl Evaluator {
    /// The trivial one in Python, run by the very program behind `python3`, not by a wrapper.
    pub(crate) fn python(sh: &Shell) -> Result<Self> {
        let print = "import sys; print(sys.executable)";
        let interpreter = cmd!(sh, "python3 -c {print}").quiet().read()?.into();
        Ok(Self { interpreter, program: workspace::root().join(TRIVIAL), conda_env: None })
    }

    /// The trivial one in Rust, linked statically, so that it starts as fast as a program can.
    pub(crate) fn native(sh: &Shell) -> Result<Self> {
        let (source, binary) = (workspace::root().join(NATIVE), workspace::target("bench/native"));
        cmd!(sh, "rustc --edition 2024 -O -C target-feature=+crt-static -o {binary} {source}")
            .quiet()
            .run()?;
        Ok(Self { interpreter: binary, program: source, conda_env: None })
    }

    /// The same in a Conda environment, whose hook needs a shell.
    pub(crate) fn in_conda(self, sh: &Shell) -> Result<Self> {
        let prefix = workspace::target("bench/conda");
        sh.remove_path(&prefix)?;
        sh.create_dir(prefix.join("conda-meta"))?;
        sh.create_dir(prefix.join("bin"))?;
        symlink(&self.interpreter, prefix.join("bin/python"))?;
        sh.write_file(prefix.join("etc/conda/activate.d/hook.sh"), "export BENCH_HOOK=1\n")?;
        Ok(Self { conda_env: Some(prefix), ..self })
    }

    /// The settings of jobs with it.
    pub(crate) fn config(&self) -> LocalJobConfig {
        LocalJobConfig {
            eval_program_path: self.program.clone(),
            python_executable: Some(self.interpreter.clone()),
            conda_env: self.conda_env.as_ref().map(|prefix| prefix.display().to_string()),
            ..LocalJobConfig::default()
        }
    }

    /// The candidate, which trivial evaluators do not look at.
    pub(crate) fn candidate(&self) -> &Path {
        &self.program
    }
}

/// A directory for results dirs, removed in the end.
#[derive(Debug)]
pub(crate) struct Workplace {
    dir: PathBuf,
    next: Cell<u32>,
    /// Whether a measurement's results dirs stay until the end.
    keeps: bool,
}

impl Workplace {
    /// In memory.
    pub(crate) fn tmpfs() -> Result<Self> {
        Self::new(format!("/dev/shm/sortie-bench-{}", process::id()).into(), false)
    }

    /// On the file system that the workspace is on. Nothing is removed between measurements: ext4
    /// makes files many times more slowly for five seconds after others were removed, since it
    /// goes round the inodes of those (`recently_deleted` in its `ialloc.c`).
    pub(crate) fn disk() -> Result<Self> {
        Self::new(workspace::target(&format!("bench/results-{}", process::id())), true)
    }

    fn new(dir: PathBuf, keeps: bool) -> Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self { dir, next: Cell::new(0), keeps })
    }

    /// An empty directory for the results dirs of one measurement.
    pub(crate) fn fresh(&self) -> Result<Fresh> {
        self.next.set(self.next.get() + 1);
        let dir = self.dir.join(self.next.get().to_string());
        fs::create_dir(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Fresh { dir, keeps: self.keeps })
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        remove(&self.dir);
    }
}

/// The directory of one measurement, removed when that is over unless the workplace keeps it.
#[derive(Debug)]
pub(crate) struct Fresh {
    dir: PathBuf,
    keeps: bool,
}

impl Fresh {
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// The results dir of a job.
    pub(crate) fn results_dir(&self, job: usize) -> PathBuf {
        self.dir.join(job.to_string())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.keeps {
            remove(&self.dir);
        }
    }
}

fn remove(dir: &Path) {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            eprintln!("cannot remove {}: {error}", dir.display());
        }
        _ => {}
    }
}
