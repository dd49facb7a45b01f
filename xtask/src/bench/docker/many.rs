//! Many jobs on Slurm with one archive: how often the image is loaded, and who calls the engine.

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use sortie_config::{JobType, Memory, SlurmDockerJobConfig};
use sortie_scheduler::{JobScheduler, SchedulerOptions};
use xshell::Shell;

use super::{EVALUATOR, Engine, Figure, Target, Unit, Workplace, image, launcher};
use crate::{
    bench::slurm::{env_with, shim},
    slurm::Cluster,
    workspace,
};

const JOBS: usize = 100;

/// The launcher is a process whose PATH begins with a docker that notes who calls it; jobs inherit that.
pub(super) fn figures(sh: &Shell, engine: &Engine, cluster: &Cluster) -> Result<Vec<Figure>> {
    let archive = image::archive(sh, engine)?;
    let size = fs::metadata(&archive)?.len();
    ensure!(size >= image::SIZE, "{} has but {size} bytes", archive.display());
    image::unload(sh, engine)?;
    let workplace = Workplace::tmpfs()?;
    let fresh = workplace.fresh()?;
    let commands = fresh.path().join("commands");
    note_calls(sh, &commands)?;
    let loads = Loads::watch(engine)?;
    let launched = launcher(sh, engine, "many")?
        .arg(image::NAME)
        .args([&archive, fresh.path()])
        .arg(JOBS.to_string())
        .envs(env_with(&commands)?)
        .env("SLURM_CONF", &cluster.conf)
        .run();
    let loads = loads.count();
    image::unload(sh, engine)?;
    launched?;
    table(loads?, &commands.join("calls"))
}

/// Puts a docker there that notes who calls it. The first call is one as a launcher would make it.
fn note_calls(sh: &Shell, commands: &Path) -> Result<()> {
    fs::create_dir(commands)?;
    let docker = commands.join("docker");
    shim(&docker, include_str!("noting.sh"))?;
    sh.cmd(docker).arg("--version").envs(env_with(commands)?).quiet().ignore_stdout().run()?;
    Ok(())
}

fn table(loads: usize, calls: &Path) -> Result<Vec<Figure>> {
    ensure!(loads > 0, "the engine tells of no load, though the jobs have run");
    let calls = fs::read_to_string(calls).context("the jobs have not called docker")?;
    let (on_nodes, elsewhere): (Vec<_>, Vec<_>) =
        calls.lines().partition(|call| call.starts_with("node "));
    let by_launcher = elsewhere.split_first();
    let (_, by_launcher) = by_launcher.context("a call that no job made is not noted")?;
    ensure!(on_nodes.len() >= JOBS, "{} calls of docker in {JOBS} jobs", on_nodes.len());
    let figure = |what: String, count: usize, target| Figure {
        what,
        unit: Unit::Calls,
        sortie: vec![number(count)],
        other: None,
        target,
    };
    let megabytes = image::SIZE / 1_000_000;
    Ok(vec![
        figure(
            format!("loads of an image of {megabytes} MB, {JOBS} jobs with its archive"),
            loads,
            Target::ValueAtMost(1.0),
        ),
        figure(
            "calls of docker by the launcher meanwhile".to_owned(),
            by_launcher.len(),
            Target::ValueAtMost(0.0),
        ),
        figure("calls of docker by the jobs".to_owned(), on_nodes.len(), Target::None),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(count: usize) -> f64 {
    count as f64
}

/// Runs so many jobs on Slurm to a good end.
pub(super) async fn launch(image: &str, archive: &Path, dir: &Path, jobs: usize) -> Result<()> {
    let config = SlurmDockerJobConfig {
        eval_program_path: workspace::root().join(EVALUATOR),
        image: image.to_owned(),
        image_tar_path: Some(archive.to_owned()),
        network: Some("none".to_owned()),
        // Sixteen at once, on the private Slurm.
        cpus: 16,
        gpus: 0.into(),
        mem: Memory::from_gibibytes(1).into(),
        infrastructure_retries: 0,
        ..SlurmDockerJobConfig::default()
    };
    let evaluator = config.eval_program_path.clone();
    let scheduler = JobScheduler::new(JobType::SlurmDocker, config, SchedulerOptions::default())?;
    let jobs = (0..jobs).map(|job| (evaluator.clone(), dir.join(job.to_string())));
    for job in scheduler.submit_many(jobs) {
        let job = job?;
        let finished = scheduler.wait(job).await?;
        ensure!(finished.correct, "{job}: {}, {:?}", finished.outcome, finished.fault);
    }
    scheduler.shutdown().await;
    Ok(())
}

/// The engine's loads of images, told as they happen.
struct Loads(Child);

impl Loads {
    fn watch(engine: &Engine) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "runs beside the measurement")]
        let events = Command::new("docker")
            .args(["--host", &engine.host, "events", "--filter", "type=image"])
            .args(["--filter", "event=load", "--format", "{{.ID}}"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        Ok(Self(events.context("cannot run docker events")?))
    }

    /// How many there were.
    fn count(mut self) -> Result<usize> {
        self.0.kill()?;
        let mut lines = String::new();
        let events = self.0.stdout.as_mut().context("docker events has no output")?;
        events.read_to_string(&mut lines)?;
        self.0.wait()?;
        Ok(lines.lines().count())
    }
}

/// When the measurement fails.
impl Drop for Loads {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
