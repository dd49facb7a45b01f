//! What is evaluated, and where the results go.

use std::{
    cell::Cell,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};
use sortie_config::{LocalJobConfig, Warm};
use xshell::{Shell, cmd};

use super::{reference, venv};
use crate::workspace;

const EVALUATORS: &str = "xtask/src/bench/evaluators";

/// An evaluator, as all contenders run it.
#[derive(Debug, Clone)]
pub(crate) struct Evaluator {
    /// What runs it.
    pub(crate) interpreter: PathBuf,
    pub(crate) program: PathBuf,
    candidate: PathBuf,
    warm: bool,
    /// The Conda environment that is activated first, if one is.
    conda_env: Option<PathBuf>,
}

impl Evaluator {
    /// The trivial one in Python, run by the very program behind `python3`, not by a wrapper.
    pub(crate) fn python(sh: &Shell) -> Result<Self> {
        let print = "import sys; print(sys.executable)";
        let interpreter = cmd!(sh, "python3 -c {print}").quiet().read()?.into();
        Ok(Self::new(interpreter, "trivial.py"))
    }

    /// The trivial one in Rust, linked statically, so that it starts as fast as a program can.
    pub(crate) fn native(sh: &Shell) -> Result<Self> {
        let (source, binary) = (evaluator("native.rs"), workspace::target("bench/native"));
        cmd!(sh, "rustc --edition 2024 -O -C target-feature=+crt-static -o {binary} {source}")
            .quiet()
            .run()?;
        Ok(Self::new(binary, "native.rs"))
    }

    /// One that imports `numpy`, and can be held.
    pub(crate) fn with_numpy(sh: &Shell) -> Result<Self> {
        Ok(Self::new(venv::with(sh, "reference", reference::PACKAGE)?, "with_numpy.py"))
    }

    /// One that imports the reference's own helper, with a candidate.
    pub(crate) fn with_shinka(sh: &Shell) -> Result<Self> {
        let python = venv::with(sh, "reference", reference::PACKAGE)?;
        let candidate = evaluator("packing.py");
        Ok(Self { candidate, ..Self::new(python, "with_shinka.py") })
    }

    fn new(interpreter: PathBuf, program: &str) -> Self {
        let program = evaluator(program);
        Self::at(interpreter, program.clone(), program)
    }

    /// One that is given by its paths.
    pub(crate) fn at(interpreter: PathBuf, program: PathBuf, candidate: PathBuf) -> Self {
        Self { interpreter, program, candidate, warm: false, conda_env: None }
    }

    /// The same, kept warm by sortie.
    pub(crate) fn kept_warm(self) -> Self {
        Self { warm: true, ..self }
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
            warm: self.warm.then(Warm::default),
            ..LocalJobConfig::default()
        }
    }

    /// The candidate, which is the evaluator itself where that does not look at it.
    pub(crate) fn candidate(&self) -> &Path {
        &self.candidate
    }
}

/// The path of a file of the bench's.
fn evaluator(name: &str) -> PathBuf {
    workspace::root().join(EVALUATORS).join(name)
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

    /// Where temporary files are.
    pub(crate) fn temporary() -> Result<Self> {
        Self::new(std::env::temp_dir().join(format!("sortie-bench-{}", process::id())), true)
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
    /// One that is not removed.
    pub(crate) fn kept(dir: PathBuf) -> Self {
        Self { dir, keeps: true }
    }

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
