//! One job at a time: by the scheduler, by the script that Slurm would run, and by the engine's command alone.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use sortie_config::{JobConfig, JobSpec, JobType, LocalDockerJobConfig, SlurmDockerJobConfig};
use sortie_results::{End, JobEnd, Place as Results};
use sortie_scheduler::{JobScheduler, Preview, SchedulerOptions, preview};
use sortie_script::Files;
use xshell::Cmd;

use super::{EVALUATOR, Figure, Fresh, Other, Target, Unit, Workplace};
use crate::workspace;

/// Whose containers they are, by the name of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Docker,
    Apptainer,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Apptainer => "apptainer",
        }
    }
}

/// Those that are timed, in turn.
#[derive(Debug, Clone, Copy)]
enum Contender {
    Scheduler,
    Script,
    Bare,
}

const CONTENDERS: [Contender; 3] = [Contender::Scheduler, Contender::Script, Contender::Bare];

/// The same evaluator in the same image, whoever has it run. The command ends in the image.
pub(in crate::bench) fn figures(
    kind: Kind,
    command: Cmd<'_>,
    rounds: usize,
) -> Result<Vec<Figure>> {
    let command = command.arg(rounds.to_string()).arg(format!("--engine={}", kind.name()));
    let [scheduler, script, bare] = serde_json::from_str::<[Vec<f64>; 3]>(&command.read()?)?;
    let name = match kind {
        Kind::Docker => "bare `docker run --rm`",
        Kind::Apptainer => "bare `apptainer exec`",
    };
    let figure = |what: &str, sortie| Figure {
        what: format!("{what}, trivial Python evaluator, {}", kind.name()),
        unit: Unit::SecondsPerJob,
        sortie,
        other: Some(Other { name, values: bare.clone() }),
        target: Target::RatioAtMost(1.05),
    };
    Ok(vec![
        figure("`run` in `local_docker`", scheduler),
        figure("the script of `slurm_docker`, run here", script),
    ])
}

/// What each took in each round, in seconds.
pub(super) async fn print(kind: Kind, image: &str, rounds: usize) -> Result<()> {
    let workplace = match kind {
        Kind::Docker => Workplace::tmpfs()?,
        // Which makes nothing below /dev/shm.
        Kind::Apptainer => Workplace::temporary()?,
    };
    let place = Place::new(kind, image, workplace.fresh()?)?;
    let mut taken = [const { Vec::new() }; CONTENDERS.len()];
    // The first round does not count. None of them always goes first.
    for round in 0..=rounds {
        for turn in 0..CONTENDERS.len() {
            let which = (round + turn) % CONTENDERS.len();
            let seconds = place.time(CONTENDERS[which], round * CONTENDERS.len() + turn).await?;
            taken[which].extend((round > 0).then_some(seconds));
        }
    }
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

/// What the contenders have in common.
struct Place {
    kind: Kind,
    scheduler: JobScheduler,
    slurm: JobConfig,
    spec: JobSpec,
    image: String,
    fresh: Fresh,
}

impl Place {
    fn new(kind: Kind, image: &str, fresh: Fresh) -> Result<Self> {
        let cache = (kind == Kind::Apptainer).then(|| fresh.path().join("images"));
        let eval_program_path = workspace::root().join(EVALUATOR);
        let (image, network) = (image.to_owned(), Some("none".to_owned()));
        let local = LocalDockerJobConfig {
            eval_program_path: eval_program_path.clone(),
            engine: kind.name().to_owned(),
            image: image.clone(),
            image_cache: cache.clone(),
            network: network.clone(),
            ..LocalDockerJobConfig::default()
        };
        let slurm = SlurmDockerJobConfig {
            eval_program_path,
            engine: kind.name().to_owned(),
            image: image.clone(),
            image_cache: cache,
            network,
            gpus: 0.into(),
            ..SlurmDockerJobConfig::default()
        };
        let options = SchedulerOptions::default();
        let scheduler = JobScheduler::new(JobType::LocalDocker, local, options)?;
        let slurm = JobConfig::from(slurm);
        let spec = slurm.spec();
        Ok(Self { kind, scheduler, slurm, spec, image, fresh })
    }

    /// How long a job takes, in seconds.
    async fn time(&self, contender: Contender, job: usize) -> Result<f64> {
        let dir = self.fresh.results_dir(job);
        let seconds = match contender {
            Contender::Scheduler => self.with_scheduler(&dir).await,
            Contender::Script => self.with_script(&dir),
            Contender::Bare => self.bare(&dir),
        };
        let seconds = seconds.with_context(|| format!("a job fails: {contender:?}"))?;
        ensure!(dir.join("correct.json").exists(), "a job wrote no results: {contender:?}");
        Ok(seconds)
    }

    async fn with_scheduler(&self, dir: &Path) -> Result<f64> {
        let from = Instant::now();
        let (results, _) = self.scheduler.run(&self.spec.evaluator, dir).await?;
        let seconds = from.elapsed().as_secs_f64();
        ensure!(results.correct, "{}: {}", results.outcome, results.stderr_log.text());
        Ok(seconds)
    }

    fn with_script(&self, dir: &Path) -> Result<f64> {
        let candidate = &self.spec.evaluator;
        let Preview::Script(script) = preview(&self.slurm, candidate, dir)? else {
            bail!("jobs of Slurm are scripts");
        };
        let place = Results::expected(dir);
        fs::create_dir_all(place.state_dir())?;
        fs::create_dir(dir)?;
        let file = dir.join("script.sh");
        fs::write(&file, script)?;
        let seconds = timed(command("bash").arg(&file), dir)?;
        let end = fs::read_to_string(place.state_dir().join("job_end.json"))?;
        let end: JobEnd = serde_json::from_str(&end)?;
        ensure!(end.end == End::Exited { code: 0 }, "the script records {:?}", end.end);
        Ok(seconds)
    }

    /// With what the job asks for, and with the mounts that it needs.
    fn bare(&self, dir: &Path) -> Result<f64> {
        fs::create_dir(dir)?;
        let evaluator = &self.spec.evaluator;
        let files = Files {
            directory: &std::env::current_dir()?,
            mount_programs: true,
            evaluator,
            candidate: evaluator,
            results_dir: dir,
        };
        let mut engine = command(self.kind.name());
        match self.kind {
            Kind::Docker => engine.args(["run", "--rm", "--network=none", "--user=0:0"]),
            Kind::Apptainer => {
                engine.args(["--silent", "exec", "--containall", "--no-home", "--network=none"])
            }
        };
        engine.arg(match self.kind {
            Kind::Docker => "--workdir=/workspace",
            Kind::Apptainer => "--pwd=/workspace",
        });
        for mount in files.mounts() {
            let access = if mount.writable { "rw" } else { "ro" };
            let (source, target) = (mount.source.display(), mount.target.display());
            let flag = if self.kind == Kind::Docker { "volume" } else { "bind" };
            engine.arg(format!("--{flag}={source}:{target}:{access}"));
        }
        engine.arg(self.image()?);
        engine.arg("python").args(self.spec.evaluator_args(evaluator, dir));
        timed(&mut engine, dir)
    }

    /// What the engine's command takes: with Apptainer the directory that the first job has converted the image to.
    fn image(&self) -> Result<OsString> {
        if self.kind == Kind::Docker {
            return Ok((&self.image).into());
        }
        let mut entries = fs::read_dir(self.fresh.path().join("images"))?;
        let directory = entries.find_map(|entry| Some(entry.ok()?.path()).filter(|it| it.is_dir()));
        Ok(directory.context("no image is converted")?.into())
    }
}

fn command(program: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "to be compared with")]
    Command::new(program)
}

/// Runs a command to its end, with its output in the job's logs.
fn timed(command: &mut Command, dir: &Path) -> Result<f64> {
    let from = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(File::create(dir.join("job_log.out"))?)
        .stderr(File::create(dir.join("job_log.err"))?);
    let status = command.status()?;
    let seconds = from.elapsed().as_secs_f64();
    let said = || fs::read_to_string(dir.join("job_log.err")).unwrap_or_default();
    ensure!(status.success(), "{status}: {}", said());
    Ok(seconds)
}
