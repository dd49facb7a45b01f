//! All tests, with what they need around them.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{
    docker::{self, Engine},
    interrupt::Interrupts,
    packages,
    slurm::{self, Cluster, Flavour},
    snapshots::References,
    workspace,
};

/// Tells the tests that all they may need is installed.
const ALL: &str = "SORTIE_TEST_ALL";

/// Those too that a plain `cargo test` leaves out for what they need; the real Apptainer is not here.
const EVERY: [&str; 4] = ["--", "--include-ignored", "--skip", "real_apptainer"];

/// Names the interpreter that has `NumPy`, which is Debian's.
const NUMPY_PYTHON: &str = "SORTIE_TEST_NUMPY_PYTHON";

/// The tests that need nothing but the toolchain.
pub(crate) fn quick(sh: &Shell) -> Result<()> {
    cargo_test(sh).arg("--workspace").run()?;
    println!("test: all tests passed but those that are ignored, for the reasons they give");
    Ok(())
}

/// Every test of the workspace, with both private Slurms and the private Docker engine up. Those that
/// were not up before are stopped again, whatever comes of the tests.
pub(crate) fn all(sh: &Shell) -> Result<()> {
    packages::ensure(sh, packages::TESTS)?;
    let interrupts = Interrupts::take()?;
    let engine = docker::up(sh)?;
    let outcome = with_engine(sh, &interrupts, &engine);
    if engine.started {
        docker::down(sh)?;
    }
    outcome?;
    println!(
        "test: all tests passed, with both Slurms and with Docker, and every snapshot was compared \
         with"
    );
    Ok(())
}

fn with_engine(sh: &Shell, interrupts: &Interrupts, engine: &Engine) -> Result<()> {
    let slurms = Slurms::up(sh)?;
    let outcome = run_all(sh, interrupts, engine, &slurms);
    slurms.down()?;
    outcome
}

/// The scheduler's tests mostly wait, for what takes Slurm a minute or more: the others run beside them.
fn run_all(sh: &Shell, interrupts: &Interrupts, engine: &Engine, slurms: &Slurms) -> Result<()> {
    let references = References::new()?;
    let tests_of = |packages: &[&str]| {
        let tests = cargo_test(sh).args(packages).env(ALL, "1");
        tests
            .envs(engine.variables())
            .envs(slurms.variables())
            .envs([references.variable()])
            .env(NUMPY_PYTHON, "/usr/bin/python3")
    };
    interrupts.run(tests_of(&["--workspace", "--no-run"]))?;
    let log = workspace::target("scheduler-tests.log");
    let scheduler = tests_of(&["--package", "sortie-scheduler"]).args(EVERY);
    let scheduler = interrupts.start(scheduler, Some(File::create(&log)?))?;
    let others = tests_of(&["--workspace", "--exclude", "sortie-scheduler"]).args(EVERY);
    let others = interrupts.run(others);
    let scheduler = scheduler.end();
    print!("{}", String::from_utf8_lossy(&fs::read(&log)?));
    others.and(scheduler)?;
    references.cover_all()
}

/// The clusters, each with the variable that tells the tests its slurm.conf.
struct Slurms(Vec<(&'static str, Flavour, Cluster)>);

impl Slurms {
    fn up(sh: &Shell) -> Result<Slurms> {
        let mut slurms = Slurms(Vec::new());
        for (variable, flavour) in [
            ("SORTIE_TEST_SLURM_CONF", Flavour::Plain),
            ("SORTIE_TEST_SLURM_ACCOUNTING_CONF", Flavour::Accounting),
        ] {
            match slurm::up(sh, flavour) {
                Ok(cluster) => slurms.0.push((variable, flavour, cluster)),
                Err(error) => {
                    slurms.down()?;
                    return Err(error);
                }
            }
        }
        Ok(slurms)
    }

    fn variables(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.0.iter().map(|(variable, _, cluster)| (*variable, cluster.conf.as_path()))
    }

    fn down(&self) -> Result<()> {
        for (_, flavour, cluster) in &self.0 {
            if cluster.started {
                slurm::down(*flavour)?;
            }
        }
        Ok(())
    }
}

/// Tests that hang are ended after an hour, by exit status 124; what has been printed by then names them.
pub(crate) fn cargo_test(sh: &Shell) -> Cmd<'_> {
    cmd!(sh, "timeout --kill-after=60 3600 cargo test --locked --no-fail-fast")
}
