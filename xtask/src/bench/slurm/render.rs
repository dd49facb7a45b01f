//! Rendering the script of one job.

use std::{
    ffi::OsString,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sortie_config::{JobConfig, SlurmCondaJobConfig};
use sortie_results::AttemptId;
use sortie_script::{Attempt, BatchScript, Environment, Jobs};

use super::{Figure, Target, Unit};

const TIMES: u32 = 20_000;

/// With this process's environment, in a Conda environment.
pub(super) fn figures(rounds: usize) -> Result<Vec<Figure>> {
    let slurm =
        SlurmCondaJobConfig { conda_env: "shinka".into(), ..SlurmCondaJobConfig::default() };
    let spec = JobConfig::from(slurm).spec();
    let (grace, max_log_bytes) = (spec.limits.grace, spec.limits.max_log_bytes);
    let request = spec.slurm().context("it is of Slurm")?;
    let options = request.sbatch_options();
    let (candidate, dir) =
        (Path::new("/home/me/gen_7/main.py"), Path::new("/home/me/gen_7/results"));
    let command = [vec![OsString::from("python")], spec.evaluator_args(candidate, dir)].concat();
    let (inherited, evaluator): (Vec<_>, _) = (std::env::vars_os().collect(), spec.evaluator_env());
    let id: AttemptId = "0198c2f4a7b87d3e9f10213243546576".parse()?;
    let attempt = Attempt {
        id,
        candidate,
        results_dir: dir,
        state_dir: dir,
        command: &command,
        container: None,
    };
    let name = id.name();
    let script = BatchScript {
        version: env!("CARGO_PKG_VERSION"),
        name: &name,
        jobs: Jobs::One(&attempt),
        options: &options,
        early_term_seconds: request.early_term_seconds(),
        directory: Path::new("/home/me"),
        environment: Environment {
            inherited: &inherited,
            set: &[],
            evaluator: &evaluator,
            only_these: false,
        },
        modules: &[],
        activation: spec.activation(),
        by_python: true,
        grace,
        max_log_bytes,
    };
    let once = || -> Result<f64> {
        let from = Instant::now();
        for _ in 0..TIMES {
            black_box(black_box(&script).render()?);
        }
        Ok((from.elapsed() / TIMES).max(Duration::from_nanos(1)).as_secs_f64())
    };
    let sortie = (0..rounds).map(|_| once()).collect::<Result<_>>()?;
    Ok(vec![Figure {
        what: format!("rendering one script, {} variables", inherited.len()),
        unit: Unit::SecondsPerJob,
        sortie,
        other: None,
        target: Target::ValueAtMost(20e-6),
    }])
}
