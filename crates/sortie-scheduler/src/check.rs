//! Whether jobs with these settings could run here, asked before one has to.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sortie_config::{Activation, JobConfig, JobSpec, JobType, PullPolicy, Warm};
use sortie_process::{Captured, Command, Limits, Status, Supervisor};
use sortie_slurm::{Client, Site};

use crate::engine::{self, ImageLook};
use crate::evaluator::EvaluatorProblem;
use crate::here::Here;
use crate::local::NotReady;
use crate::{SchedulerError, local, slurm};

mod accounts;
mod container;
mod imports;
mod interpreter;
mod node;
mod partition;

pub use node::NodeCheck;

/// How long what is asked may take to answer: a Conda environment on a network file system can be slow.
const PATIENCE: Duration = Duration::from_secs(60);

const REQUEST_ADVICE: &str =
    "correct what the settings ask of Slurm: see `sinfo` for its partitions and nodes";

/// One thing that jobs need, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for, as in `evaluator`.
    pub subject: &'static str,
    /// What was found, or what is wrong.
    pub result: Result<String, Problem>,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    fn new(subject: &'static str, result: Result<String, (String, &str)>) -> Self {
        let problem = |(what, advice): (String, &str)| Problem { what, advice: advice.to_owned() };
        Self { subject, result: result.map_err(problem) }
    }
}

/// Looks for all that jobs with these settings need. A job of this machine: starts the interpreter in its environment
/// to see that it runs, and imports there what the evaluator imports, as far as jobs do that in order and for certain;
/// nothing else of the evaluator is run.
/// A job in a container here: starts one of an image that is here or in an archive, and tries the imports in it.
/// A job of Slurm: asks Slurm whether it would take it, and whether a partition and the accounts would let it run, and tries the imports where its environment is seen from here.
/// Nothing is changed, but that an archive is loaded.
pub async fn check(config: &JobConfig) -> Vec<Finding> {
    let here = Here::now().and_then(|here| config.validate().map(|()| here).map_err(Into::into));
    let findings = match (here, config.job_type()) {
        (Ok(here), JobType::Local) => of_this_machine(config, here).await,
        (Ok(here), JobType::LocalDocker) => of_container(config, here).await,
        (Ok(here), JobType::SlurmConda | JobType::SlurmDocker) => of_slurm(config, here).await,
        (Err(error), _) => Err(error),
    };
    findings.unwrap_or_else(|error| {
        vec![Finding::new("settings", Err((error.to_string(), "correct the settings")))]
    })
}

fn settings(config: &JobConfig) -> Finding {
    Finding::new("settings", Ok(format!("valid, of job type `{}`", config.job_type())))
}

async fn of_this_machine(config: &JobConfig, here: Here) -> Result<Vec<Finding>, SchedulerError> {
    let plan = local::Plan::new(config.spec(), here)?;
    let supervisor = Supervisor::new();
    let mut findings = vec![settings(config), evaluator(plan.usable())];
    findings.extend(devices(&plan));
    findings.extend(interpreter::find(&plan, &supervisor, "interpreter").await);
    if let Some(settings) = plan.warm() {
        findings.push(warm(&plan, settings, &supervisor).await);
    }
    findings.push(protection(&supervisor).await);
    Ok(findings)
}

async fn of_container(config: &JobConfig, here: Here) -> Result<Vec<Finding>, SchedulerError> {
    let plan = local::Plan::new(config.spec(), here)?;
    let supervisor = Supervisor::new();
    let mut findings = vec![settings(config), evaluator(plan.usable())];
    findings.extend(devices(&plan));
    let Some(container) = plan.spec.container() else { return Ok(findings) };
    let engine = engine::of(container.kind);
    let answer = match plan.engine_command(engine.version(), PATIENCE) {
        Some(command) => output(&supervisor, &command).await,
        None => Err("there is none".to_owned()),
    };
    let reached = answer.is_ok();
    findings.push(Finding::new("engine", answer.map_err(|what| (what, engine.advice()))));
    findings.extend(archive(&plan.spec, &plan.here.cwd));
    if reached {
        let image = image(&plan, &supervisor).await;
        let here = image.as_ref().is_none_or(|(_, here)| *here);
        findings.extend(image.map(|(finding, _)| finding));
        findings.extend(container::find(&plan, &supervisor, here).await);
    }
    findings.push(protection(&supervisor).await);
    Ok(findings)
}

/// What each job has to itself, if anything. What there is not enough of is refused before.
fn devices(plan: &local::Plan) -> Option<Finding> {
    plan.devices.as_ref().map(|devices| Finding::new("devices", Ok(devices.in_words())))
}

/// The archive of the image, if it comes from one.
pub(crate) fn archive(spec: &JobSpec, cwd: &Path) -> Option<Finding> {
    let path = cwd.join(spec.container()?.archive.as_ref()?);
    let advice = "correct `image_tar_path`, or make the archive with `docker save`";
    Some(Finding::new("image archive", file(&path).map_err(|what| (what, advice))))
}

/// A file that can be read: its path, or what is wrong.
fn file(path: &Path) -> Result<String, String> {
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(path.display().to_string()),
        Ok(_) => Err(format!("{} is not a file", path.display())),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

/// Whether the image is here, if it does not come from an archive: also as one word.
async fn image(plan: &local::Plan, supervisor: &Supervisor) -> Option<(Finding, bool)> {
    let settings = plan.spec.container().filter(|settings| settings.archive.is_none())?;
    let looked = match engine::of(settings.kind).image(settings, &plan.here.cwd) {
        ImageLook::Asked(args) => {
            let found = output(supervisor, &plan.engine_command(args, PATIENCE)?).await;
            let found = found.map(|id| format!("{}, {id}", settings.image));
            found.map_err(|what| (what, "pull it, or set `pull` to `missing`"))
        }
        ImageLook::Seen(Err(problem)) => {
            return Some((Finding::new("image", Err(problem)), false));
        }
        ImageLook::Seen(seen) => seen,
        ImageLook::Fetched => {
            Err((format!("{} is not here", settings.image), "set `pull` to `missing`"))
        }
    };
    let here = looked.is_ok();
    let result = match (looked, settings.pull) {
        (Err(_), PullPolicy::Missing | PullPolicy::Always) => {
            Ok(format!("{} is not here yet, and will be pulled", settings.image))
        }
        (looked, _) => looked,
    };
    Some((Finding::new("image", result), here))
}

/// The image of a job of Slurm, where it is a file: as it is seen from here.
fn image_file(spec: &JobSpec, cwd: &Path) -> Option<Finding> {
    let settings = spec.container().filter(|settings| settings.archive.is_none())?;
    match engine::of(settings.kind).image(settings, cwd) {
        ImageLook::Seen(seen) => Some(Finding::new("image", seen)),
        ImageLook::Asked(_) | ImageLook::Fetched => None,
    }
}

async fn of_slurm(config: &JobConfig, here: Here) -> Result<Vec<Finding>, SchedulerError> {
    let env = here.env.clone();
    let client = Client::new(Supervisor::new(), env, here.cwd.clone(), Client::TIME_LIMIT);
    let plan = slurm::Plan::new(config.spec(), here)?;
    let mut findings = vec![settings(config), evaluator(plan.usable())];
    let activation = activation(plan.spec.activation(), &plan.here);
    let is_seen = activation.as_ref().is_none_or(|finding| finding.result.is_ok());
    findings.extend(activation);
    findings.extend(imports::on_a_node(&plan.spec, &plan.here, is_seen).await);
    findings.extend(archive(&plan.spec, &plan.here.cwd));
    findings.extend(image_file(&plan.spec, &plan.here.cwd));
    let site = client.site().await;
    if let Ok(site) = &site {
        plan.heed_kill_wait(site.kill_wait);
        let [grace, kill_wait] = [plan.grace(), site.kill_wait].map(|time| time.as_secs_f64());
        let found =
            format!("{grace} s, then {kill_wait} s (KillWait) until Slurm kills the script");
        findings.push(Finding::new("grace", Ok(found)));
    }
    let site = site.map_err(|error| {
        (error.to_string(), "install Slurm's commands (Debian: slurm-client), or start where they work, or set SLURM_CONF")
    });
    findings.extend(variables(&plan));
    let reached = site.as_ref().ok().copied();
    findings.push(Finding::new("cluster", site.map(site_in_words)));
    if let Some(site) = reached {
        findings.push(request(&plan, &client).await);
        findings.extend(partition::find(&plan, &client, site).await);
        findings.extend(accounts::find(&plan, &client, site).await);
    }
    Ok(findings)
}

/// What the environment says to sbatch, and what becomes of that.
fn variables(plan: &slurm::Plan) -> Option<Finding> {
    let slurm::Requested { used, unused, .. } = &plan.requested;
    let said = |names: &[String], what| (!names.is_empty()).then(|| names.join(", ") + what);
    let said = [
        said(used, " used, as no setting says otherwise"),
        said(unused, " not used: the settings, or their defaults, count instead"),
    ];
    let said: Vec<_> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| Finding::new("variables", Ok(said.join("; "))))
}

fn site_in_words(site: &Site) -> String {
    let version = site.version.as_deref().unwrap_or("of an unknown version");
    let accounting = if site.accounting { "with" } else { "without" };
    format!("{}, Slurm {version}, {accounting} accounting", site.cluster)
}

/// What is to be activated on the node, where it can be seen from here.
fn activation(activation: &Activation, here: &Here) -> Option<Finding> {
    let result = match activation {
        Activation::None => return None,
        Activation::Sourced(script) => {
            file(&here.cwd.join(script)).map_err(|what| (what, "correct `activate_script`"))
        }
        Activation::Conda(name) => {
            let env = here.env.iter().cloned().collect();
            let advice = "make it with `conda create`, see `conda env list`, or start where the nodes' are seen";
            let found = sortie_conda::find(name, &env, here.home.as_deref(), &here.cwd);
            found
                .map(|prefix| format!("the Conda environment {}", prefix.display()))
                .map_err(|error| (error.to_string(), advice))
        }
    };
    Some(Finding::new("activation", result))
}

/// Whether Slurm would take the job.
async fn request(plan: &slurm::Plan, client: &Client) -> Finding {
    let script = plan.script_of_example();
    let result = match script {
        Ok(script) => client.test(script.as_bytes()).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let taken = "Slurm would take the job (sbatch --test-only)".to_owned();
    Finding::new("request", result.map(|()| taken).map_err(|what| (what, REQUEST_ADVICE)))
}

fn evaluator(usable: Result<String, EvaluatorProblem>) -> Finding {
    let result = usable.map_err(|problem| (problem.to_string(), problem.advice()));
    Finding::new("evaluator", result)
}

pub(crate) fn advice(error: &NotReady) -> &'static str {
    match error {
        NotReady::Evaluator(problem) => problem.advice(),
        NotReady::Unreadable { .. } => "correct the path in the settings",
        NotReady::NoEngine { .. } => {
            "install Docker, Podman or Apptainer, or set `engine` to where its command is"
        }
        NotReady::NoPython { .. } => "install Python, or set `python_executable`",
        NotReady::Interpreter { .. } => "set `python_executable` to a Python that is there",
        NotReady::Conda(_) => "see `conda env list` for the environments there are",
        NotReady::Script(_) => "correct the path or setting",
        NotReady::CondaPython { .. } => "install Python into the environment",
    }
}

/// Imports all that a server would.
async fn warm(plan: &local::Plan, settings: &Warm, supervisor: &Supervisor) -> Finding {
    let advice = "fix the module, or leave `warm` out: until then jobs start cold";
    let args = sortie_warm::check_args(plan.evaluator(), &settings.preload);
    let result = match plan.python(args) {
        Ok(planned) => {
            let limits = Limits { time: Some(PATIENCE), ..plan.limits() };
            output(supervisor, &plan.command(&planned, limits)).await
        }
        Err(error) => Err(error.to_string()),
    };
    let result = result.and_then(|line| match line.strip_prefix("refuse ") {
        Some(reason) => Err(reason.to_owned()),
        None if line == "ready" => Ok("what the evaluator imports can be kept".to_owned()),
        None => Err(format!("the server says {line:?}")),
    });
    Finding::new("warm", result.map_err(|what| (what, advice)))
}

async fn protection(supervisor: &Supervisor) -> Finding {
    let advice = "let this program start itself again through /proc/self/exe";
    let result = match supervisor.protections().await {
        Ok(there) => Ok(there.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        Err(error) => Err((error.to_string(), advice)),
    };
    Finding::new("protection", result)
}

/// Runs a short command: the last line it prints, or what went wrong.
async fn output(supervisor: &Supervisor, command: &Command) -> Result<String, String> {
    let captured = supervisor.capture(command, &[]).await.map_err(|error| error.to_string())?;
    let Captured { exit, stdout, stderr } = captured;
    let how = match (exit.stopped, exit.status) {
        (None, Status::Exited(0)) if exit.ready => return Ok(last_line(&stdout)),
        (Some(_), _) => format!("says nothing for {} s", PATIENCE.as_secs()),
        (None, Status::Exited(code)) => format!("ends with exit code {code}"),
        (None, Status::Signaled(signal)) => format!("is ended by signal {signal}"),
    };
    Err(format!("{} {how}: {}", command.program.display(), last_line(&stderr)))
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it printed nothing").trim().to_owned()
}
