//! From the settings to a local job's command: who runs the evaluator, and in which environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, access};
use sortie_conda::{CondaError, Env, activate, find};
use sortie_config::{EvaluatorKind, Interpreter, JobSpec, Share, Warm};
use sortie_process::{Command, Environment, Limits};
use sortie_results::{AttemptId, Outcome};
use sortie_script::{ScriptError, Step, Trial, hooked, sourced};
use thiserror::Error;

use super::python;
use crate::SchedulerError;
use crate::container::Containers;
use crate::devices::Devices;
use crate::evaluator::{self, Digest, EvaluatorProblem};
use crate::here::Here;
use crate::job::Paths;

/// How the jobs of one scheduler are run.
pub(crate) struct Plan {
    pub(crate) spec: JobSpec,
    /// The containers that the jobs run in, if any.
    pub(super) containers: Option<Containers>,
    /// What each job has to itself, if anything.
    pub(crate) devices: Option<Devices>,
    pub(crate) here: Here,
    /// The job's environment, but for what activation changes.
    env: Env,
    pub(super) shared_env: Environment,
    digest: Digest,
}

/// A command that can be run.
pub(crate) struct Planned {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Environment,
    /// The CPUs that it is bound to; none for those of the launcher.
    pub(crate) cpus: Vec<u32>,
    /// The place of what it has to itself among all such, from 0.
    pub(crate) place: usize,
    /// What is activated by a shell first, if anything.
    pub(crate) activates: Option<String>,
    /// The evaluator's command line, if it is run in a container by this command.
    pub(crate) inside: Option<Vec<OsString>>,
    /// The SHA-256 of the evaluator's file as it stood when this was planned.
    pub(crate) evaluator_sha256: Option<Arc<str>>,
}

/// Why a job's command cannot be run: for the user to mend.
#[derive(Debug, Error)]
pub(crate) enum NotReady {
    #[error(transparent)]
    Evaluator(#[from] EvaluatorProblem),
    #[error("the {what} {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// As in `candidate`.
        what: &'static str,
        path: PathBuf,
        cause: io::Error,
    },
    #[error("no Python: neither `python3` nor `python` is on PATH, {}", on_path(path.as_deref()))]
    NoPython { path: Option<OsString> },
    #[error("the container engine {engine} {problem}")]
    NoEngine { engine: String, problem: &'static str },
    #[error("the interpreter {} {problem}; correct `python_executable`", program.display())]
    Interpreter { program: PathBuf, problem: &'static str },
    #[error(transparent)]
    Conda(#[from] CondaError),
    #[error("the Conda environment {} has no Python: {} {problem}", prefix.display(), python.display())]
    CondaPython { prefix: PathBuf, python: PathBuf, problem: &'static str },
    #[error(transparent)]
    Script(#[from] ScriptError),
}

fn on_path(path: Option<&OsStr>) -> String {
    match path {
        None => "which is not set".to_owned(),
        Some(path) if path.is_empty() => "which is empty".to_owned(),
        Some(path) => format!("which is {}", path.to_string_lossy()),
    }
}

impl From<NotReady> for Outcome {
    fn from(error: NotReady) -> Self {
        Self::not_started(error.to_string())
    }
}

impl Planned {
    /// The command line, the program first: the evaluator's own, as far as it is known.
    pub(crate) fn argv(self) -> Vec<OsString> {
        self.inside.unwrap_or_else(|| [vec![self.program], self.args].concat())
    }
}

impl Plan {
    pub(crate) fn new(spec: JobSpec, here: Here) -> Result<Self, SchedulerError> {
        let containers = Containers::new(&spec, &here)?;
        let devices = Devices::new(&spec, &here)?;
        let env = match containers {
            None => environment(&spec, &here),
            Some(_) => Containers::of_engine(&here).into_iter().collect(),
        };
        let shared_env = env.clone().into_iter().collect();
        Ok(Self { spec, containers, devices, here, env, shared_env, digest: Digest::default() })
    }

    /// Whether all is there that every job needs, as far as can be seen without starting anything.
    pub(crate) fn ready(&self) -> Result<(), NotReady> {
        self.usable()?;
        let Some(container) = self.spec.container() else {
            return self.evaluator_command(Vec::new()).map(drop);
        };
        let found = self.executable(Path::new(&container.engine));
        let engine = || container.engine.clone();
        found.map(drop).map_err(|problem| NotReady::NoEngine { engine: engine(), problem })
    }

    /// The command that runs the evaluator on a candidate.
    pub(crate) fn evaluation(
        &self,
        paths: &Paths,
        state_dir: &Path,
        attempt: AttemptId,
    ) -> Result<Planned, NotReady> {
        self.usable()?;
        self.readable("candidate", &paths.candidate)?;
        let planned = match &self.containers {
            Some(containers) => {
                let command = (paths.command(&self.spec), Trial::No);
                self.in_container(containers, paths, state_dir, attempt, command)
            }
            None => self.evaluator_command(paths.evaluator_args(&self.spec)),
        };
        let evaluator_sha256 = self.digest.of(&self.spec, &self.here);
        Ok(Planned { evaluator_sha256, ..planned? })
    }

    /// What planning a job looks at, beside the job's own files; `None` if there is no telling.
    pub(super) fn looks_at(&self) -> Option<Vec<PathBuf>> {
        if self.containers.is_some() {
            return None;
        }
        let absolute = |path: &Path| self.here.cwd.join(path);
        let mut all = vec![absolute(&self.spec.evaluator)];
        let path = self.env.get(OsStr::new("PATH"));
        let on_path = path.into_iter().flat_map(std::env::split_paths);
        match self.interpreter() {
            Interpreter::Conda(_) => return None,
            Interpreter::OnPath => {}
            Interpreter::Executable(program) => all.push(absolute(program)),
            Interpreter::Sourced(script) => all.push(absolute(script)),
        }
        all.extend(on_path.map(|dir| absolute(&dir)));
        Some(all)
    }

    /// The evaluator in words, or why no job can use it.
    pub(crate) fn usable(&self) -> Result<String, EvaluatorProblem> {
        evaluator::judge(&self.spec, &self.here, self.env.get(OsStr::new("PATH")))
    }

    /// What runs the evaluator's part of the command line: Python, or the evaluator itself.
    fn evaluator_command(&self, args: Vec<OsString>) -> Result<Planned, NotReady> {
        match self.spec.evaluator_kind {
            EvaluatorKind::Python => self.python(args),
            EvaluatorKind::Executable => self.activated(args),
        }
    }

    fn interpreter(&self) -> Interpreter<'_> {
        self.spec.interpreter()
    }

    /// What is activated without a shell: an environment of Conda that has no scripts.
    pub(crate) fn environment_name(&self) -> Option<String> {
        match self.interpreter() {
            Interpreter::Conda(name) => Some(format!("the Conda environment {name}")),
            _ => None,
        }
    }

    /// A command line in the environment that the settings ask for.
    pub(crate) fn activated(&self, command: Vec<OsString>) -> Result<Planned, NotReady> {
        match self.interpreter() {
            Interpreter::OnPath | Interpreter::Executable(_) => {
                let mut command = command.into_iter();
                Ok(self.plain(command.next().unwrap_or_default(), command.collect()))
            }
            Interpreter::Sourced(script) => self.after_script(script, &command),
            Interpreter::Conda(name) => self.in_conda(&self.conda_prefix(name)?, command),
        }
    }

    /// Python with these arguments, in the environment that the settings ask for.
    pub(crate) fn python(&self, args: Vec<OsString>) -> Result<Planned, NotReady> {
        match self.interpreter() {
            Interpreter::OnPath => {
                let path = self.env.get(OsStr::new("PATH")).cloned();
                let names = ["python3", "python"].map(Path::new);
                let on_path = |name: &&Path| self.executable(name).is_ok();
                let found = names.into_iter().find(on_path);
                Ok(self.plain(found.ok_or(NotReady::NoPython { path })?.into(), args))
            }
            Interpreter::Executable(program) => {
                self.executable(program).map_err(|problem| NotReady::Interpreter {
                    program: program.to_owned(),
                    problem,
                })?;
                Ok(self.plain(program.into(), args))
            }
            Interpreter::Sourced(script) => {
                self.after_script(script, &[vec!["python".into()], args].concat())
            }
            Interpreter::Conda(name) => {
                let prefix = self.conda_prefix(name)?;
                let python = prefix.join("bin/python");
                let command = [vec![python.clone().into()], args].concat();
                match self.executable(&python) {
                    Ok(_) => self.in_conda(&prefix, command),
                    Err(problem) => Err(NotReady::CondaPython { prefix, python, problem }),
                }
            }
        }
    }

    fn after_script(&self, script: &Path, command: &[OsString]) -> Result<Planned, NotReady> {
        self.readable("activation script", script)?;
        Ok(self.in_shell(sourced(&self.here.cwd, script, command), script.display().to_string()))
    }

    fn plain(&self, program: OsString, args: Vec<OsString>) -> Planned {
        Planned {
            program,
            args,
            env: self.shared_env.clone(),
            cpus: Vec::new(),
            place: 0,
            activates: None,
            inside: None,
            evaluator_sha256: None,
        }
    }

    /// The command line of a shell that activates something, then becomes the command.
    fn in_shell(&self, argv: Vec<OsString>, activates: String) -> Planned {
        let mut argv = argv.into_iter();
        let program = argv.next().unwrap_or_default();
        Planned { activates: Some(activates), ..self.plain(program, argv.collect()) }
    }

    fn conda_prefix(&self, name: &str) -> Result<PathBuf, NotReady> {
        let Here { home, cwd, .. } = &self.here;
        Ok(find(name, &self.env, home.as_deref(), cwd)?)
    }

    fn in_conda(&self, prefix: &Path, command: Vec<OsString>) -> Result<Planned, NotReady> {
        let activation = activate(prefix, &self.env)?;
        if !activation.has_scripts() {
            let mut env = self.env.clone();
            activation.apply(&mut env);
            if self.spec.evaluator_kind == EvaluatorKind::Executable {
                let path = env.get(OsStr::new("PATH"));
                evaluator::finds_interpreter(&self.spec, &self.here, path)?;
            }
            let mut command = command.into_iter();
            let planned = self.plain(command.next().unwrap_or_default(), command.collect());
            return Ok(Planned { env: env.into_iter().collect(), ..planned });
        }
        let source = |script| Step::Source(script);
        let mut steps: Vec<_> = activation.leave.iter().map(|script| source(script)).collect();
        steps.extend(activation.unset.iter().map(|name| Step::Unset(name)));
        steps.extend(activation.set.iter().map(|(name, value)| Step::Set(name, value)));
        steps.extend(activation.enter.iter().map(|script| source(script)));
        let activates = format!("the Conda environment {}", prefix.display());
        Ok(self.in_shell(hooked(&self.here.cwd, &steps, &command), activates))
    }

    fn readable(&self, what: &'static str, path: &Path) -> Result<(), NotReady> {
        access(self.here.cwd.join(path), Access::READ_OK).map_err(|errno| NotReady::Unreadable {
            what,
            path: path.to_owned(),
            cause: errno.into(),
        })
    }

    /// Whether the job would find this program, or what is wrong with it.
    fn executable(&self, program: &Path) -> Result<PathBuf, &'static str> {
        python::executable(program, self.env.get(OsStr::new("PATH")), &self.here.cwd)
    }

    /// Whether the evaluator is there now.
    pub(crate) fn has_evaluator(&self) -> bool {
        let needed = match self.spec.evaluator_kind {
            EvaluatorKind::Python => Access::READ_OK,
            EvaluatorKind::Executable => Access::EXEC_OK,
        };
        access(self.here.cwd.join(&self.spec.evaluator), needed).is_ok()
    }

    /// What the evaluator is.
    pub(crate) fn evaluator_kind(&self) -> EvaluatorKind {
        self.spec.evaluator_kind
    }

    /// How evaluators are kept warm, if they are.
    pub(crate) fn warm(&self) -> Option<&Warm> {
        self.spec.warm()
    }

    /// The evaluator, as the user gave it.
    pub(crate) fn evaluator(&self) -> &Path {
        &self.spec.evaluator
    }

    /// What loads the evaluator, if it is compiled and linked dynamically.
    pub(crate) fn loader(&self) -> Option<PathBuf> {
        evaluator::loader(&self.spec, &self.here.cwd)
    }

    /// The evaluator, as its command line has it.
    pub(crate) fn evaluator_inside(&self) -> OsString {
        self.spec.evaluator_path()
    }

    /// The Python of the container, as its command line has it.
    pub(crate) fn python_inside(&self) -> OsString {
        self.spec.python().into()
    }

    pub(crate) fn limits(&self) -> Limits {
        let limits = &self.spec.limits;
        Limits {
            time: self.spec.time_limit,
            grace: limits.grace + self.closing(),
            // The script ends its container, which no one else would, if that is not below it.
            orphan_grace: self.outlives_its_script(),
            log_bytes: limits.max_log_bytes,
        }
    }

    /// The planned command, as the supervisor takes it.
    pub(crate) fn command(&self, planned: &Planned, limits: Limits) -> Command {
        Command::new(&planned.program, planned.env.clone(), &self.here.cwd)
            .args(&planned.args)
            .cpus(planned.cpus.as_slice())
            .limits(limits)
            .announces_ready(planned.activates.is_some())
    }
}

/// What of the launcher's environment is passed on, with what the evaluator is told; what the user
/// sets wins over both.
fn environment(spec: &JobSpec, here: &Here) -> Env {
    let policy = &spec.environment;
    let mut env: Env = policy.select(here.env.iter().cloned()).into_iter().collect();
    for (name, value) in spec.evaluator_env() {
        if !policy.set.contains_key(&name) {
            env.insert(name.into(), value.into());
        }
    }
    let is_set = |name: &str| env.contains_key(OsStr::new(name));
    for (name, value) in spec.cpu_counts(is_set) {
        env.insert(name.into(), value.into());
    }
    if spec.share().gpus == Some(0) {
        // To CUDA and to ROCm no device has this number.
        env.extend(Share::GPU_VARIABLES.map(|name| (name.into(), "-1".into())));
    }
    env
}
