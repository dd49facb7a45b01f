//! A job as it is run, by whichever settings it is asked for: where, in what, and what its evaluator is told.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use indexmap::IndexMap;
use sortie_model::{Activation, ContainerSpec, ContainerUser, EngineKind};

use crate::{
    EnvironmentPolicy, EvaluatorKind, JobConfig, Limits, Memory, Share, SlurmRequest, Warm,
    activation::{activation, set_path},
};

/// A job, as it is run on any candidate: what [`JobConfig::spec`] makes of settings of each kind.
///
/// ```
/// use sortie_config::{JobConfig, SlurmDockerJobConfig};
///
/// let spec = JobConfig::from(SlurmDockerJobConfig::default()).spec();
/// assert!(spec.slurm().is_some());
/// assert_eq!(spec.container().unwrap().image, "ubuntu:latest");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// The evaluator, as the user gave it.
    pub evaluator: PathBuf,
    /// What the evaluator is.
    pub evaluator_kind: EvaluatorKind,
    /// The Python that is set to run it.
    pub python_executable: Option<PathBuf>,
    /// Its further arguments, in order: names, and values as Python writes them.
    pub args: IndexMap<String, String>,
    /// Whether it is told to be verbose.
    pub verbose: bool,
    /// Threads numeric libraries may use, as the user gave it.
    pub threads: Option<i64>,
    /// How long the job may run; `None` means without a limit.
    pub time_limit: Option<Duration>,
    /// What of the launcher's environment reaches the job.
    pub environment: EnvironmentPolicy,
    /// Bounds on stopping, logs and results.
    pub limits: Limits,
    /// Where it runs.
    pub place: JobPlace,
    /// What it runs in there.
    pub inside: JobInside,
}

/// Where a job runs.
#[derive(Clone, Debug, PartialEq)]
pub enum JobPlace {
    /// On this machine.
    Local {
        /// What each job has of the machine to itself.
        share: Share,
        /// How its evaluator is kept warm, if it is.
        warm: Option<Warm>,
    },
    /// Where Slurm has it run.
    Slurm(Box<SlurmRequest>),
}

/// What a job runs in.
#[derive(Clone, Debug, PartialEq)]
pub enum JobInside {
    /// The machine itself.
    Host {
        /// Environment modules to load first, in order.
        modules: Vec<String>,
        /// What is activated then.
        activation: Activation,
    },
    /// A container.
    Container(Box<ContainerSpec>),
}

/// How a job on this machine finds its Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter<'a> {
    /// `python3` on PATH, or else `python`.
    OnPath,
    /// This program.
    Executable(&'a Path),
    /// `python` of this Conda environment, given by name or path.
    Conda(&'a str),
    /// `python` after this script has been sourced.
    Sourced(&'a Path),
}

impl JobSpec {
    /// What is asked of Slurm; `None` for a local job.
    pub fn slurm(&self) -> Option<&SlurmRequest> {
        match &self.place {
            JobPlace::Slurm(request) => Some(request),
            JobPlace::Local { .. } => None,
        }
    }

    /// The container that the job runs in; `None` for a job without one.
    pub fn container(&self) -> Option<&ContainerSpec> {
        match &self.inside {
            JobInside::Container(container) => Some(container),
            JobInside::Host { .. } => None,
        }
    }

    /// Whether it runs on this machine, and in no container.
    pub fn is_here(&self) -> bool {
        self.slurm().is_none() && self.container().is_none()
    }

    /// What is activated on the host before the evaluator is run.
    pub fn activation(&self) -> &Activation {
        match &self.inside {
            JobInside::Host { activation, .. } => activation,
            JobInside::Container(_) => &Activation::None,
        }
    }

    /// What each job has of this machine to itself; nothing for a job of Slurm, which deals that out by itself.
    pub fn share(&self) -> Share {
        match self.place {
            JobPlace::Local { share, .. } => share,
            JobPlace::Slurm(_) => Share::default(),
        }
    }

    /// How evaluators are kept warm, if they are.
    pub fn warm(&self) -> Option<&Warm> {
        match &self.place {
            JobPlace::Local { warm, .. } => warm.as_ref(),
            JobPlace::Slurm(_) => None,
        }
    }

    /// How a job that [is here](Self::is_here) finds its Python: an environment wins over `python_executable`.
    pub fn interpreter(&self) -> Interpreter<'_> {
        match (self.activation(), &self.python_executable) {
            (Activation::Conda(name), _) => Interpreter::Conda(name),
            (Activation::Sourced(script), _) => Interpreter::Sourced(script),
            (Activation::None, Some(program)) => Interpreter::Executable(program),
            (Activation::None, None) => Interpreter::OnPath,
        }
    }

    /// The program that runs an evaluator in Python on a node or in a container: a path, or a name that is looked up on `PATH` there.
    /// Where an environment is activated it is that environment's `python`.
    pub fn python(&self) -> &Path {
        let set = self.python_executable.as_deref();
        set.filter(|_| *self.activation() == Activation::None).unwrap_or(Path::new("python"))
    }
}

/// The container that settings of either kind with one ask for.
macro_rules! container {
    ($config:ident, $cpus:expr, $gpus:expr) => {{
        let set = |path| set_path(path).map(Path::to_owned);
        let kind = EngineKind::of(&$config.engine).unwrap_or_default();
        JobInside::Container(Box::new(ContainerSpec {
            kind,
            engine: $config.engine.clone(),
            image: $config.image.clone(),
            archive: set($config.image_tar_path.as_ref()),
            pull: $config.pull,
            cache: set($config.image_cache.as_ref()),
            mount_workspace: $config.mount_workspace,
            user: match $config.user.as_str() {
                "submitter" => ContainerUser::Submitter,
                "image" => ContainerUser::Image,
                name => ContainerUser::Named(name.to_owned()),
            },
            network: $config.network.clone(),
            cpus: $cpus,
            memory_bytes: $config.mem.and_then(Memory::as_bytes),
            pids_limit: $config.pids_limit,
            require_limits: $config.require_limits,
            gpus: $gpus,
            flags: match kind {
                EngineKind::Docker => $config.docker_flags.clone(),
                EngineKind::Apptainer => $config.apptainer_flags.clone(),
            },
        }))
    }};
}

impl JobConfig {
    /// The job that these settings ask for.
    pub fn spec(&self) -> JobSpec {
        let local = |gpus, cpus, warm| JobPlace::Local { share: Share { gpus, cpus }, warm };
        let host = |modules, conda_env, script| JobInside::Host {
            modules,
            activation: activation(conda_env, script),
        };
        match self {
            Self::Local(config) => {
                let conda_env = config.conda_env.as_deref().unwrap_or_default();
                let place = local(config.gpus, config.cpus, config.warm.clone());
                let inside = host(Vec::new(), conda_env, config.activate_script.as_ref());
                config.job_spec(config.time, place, inside)
            }
            Self::LocalDocker(config) => {
                let place = local(config.gpus, config.cpus, None);
                let gpus = config.gpus.is_some_and(|gpus| gpus > 0);
                config.job_spec(config.time, place, container!(config, config.cpus, gpus))
            }
            Self::SlurmConda(config) => {
                let script = config.activate_script.as_ref();
                let inside = host(config.modules.clone(), &config.conda_env, script);
                config.job_spec(Some(config.time), config.place(), inside)
            }
            Self::SlurmDocker(config) => {
                let inside = container!(config, Some(config.cpus), config.gpus.count > 0);
                config.job_spec(Some(config.time), config.place(), inside)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalDockerJobConfig, LocalJobConfig, SlurmCondaJobConfig};

    fn local(conda: &str, script: &str, python: &str) -> JobSpec {
        let config = LocalJobConfig {
            conda_env: Some(conda.into()),
            activate_script: Some(script.into()),
            python_executable: Some(python.into()),
            ..LocalJobConfig::default()
        };
        JobConfig::from(config).spec()
    }

    #[test]
    fn environments_win_and_blank_is_not_set() {
        let expect = |spec: JobSpec, expected| assert_eq!(spec.interpreter(), expected);
        expect(JobConfig::from(LocalJobConfig::default()).spec(), Interpreter::OnPath);
        expect(local(" ", "\t", " "), Interpreter::OnPath);
        expect(
            local(" ", "", "/usr/bin/python3"),
            Interpreter::Executable(Path::new("/usr/bin/python3")),
        );
        expect(local(" env ", "", "/usr/bin/python3"), Interpreter::Conda("env"));
        expect(local("", " a b.sh\n", "python"), Interpreter::Sourced(Path::new("a b.sh")));
    }

    #[test]
    fn an_environment_brings_its_python() {
        let node = |python: Option<&str>, script: &str| {
            let config = SlurmCondaJobConfig {
                python_executable: python.map(Into::into),
                activate_script: Some(script.into()),
                ..SlurmCondaJobConfig::default()
            };
            JobConfig::from(config).spec().python().display().to_string()
        };
        assert_eq!(node(None, ""), "python");
        assert_eq!(node(Some(" "), ""), "python");
        assert_eq!(node(Some("python3"), ""), "python3");
        assert_eq!(node(Some("/opt/bin/python3"), "env.sh"), "python");
        let python_executable = Some("python3".into());
        let inside = LocalDockerJobConfig { python_executable, ..LocalDockerJobConfig::default() };
        assert_eq!(JobConfig::from(inside).spec().python(), Path::new("python3"));
    }

    #[test]
    fn both_axes_are_each_kinds() {
        let axes = |config: JobConfig| {
            let spec = config.spec();
            (spec.slurm().is_some(), spec.container().is_some(), spec.is_here())
        };
        assert_eq!(axes(LocalJobConfig::default().into()), (false, false, true));
        assert_eq!(axes(LocalDockerJobConfig::default().into()), (false, true, false));
        assert_eq!(axes(SlurmCondaJobConfig::default().into()), (true, false, false));
        assert_eq!(axes(crate::SlurmDockerJobConfig::default().into()), (true, true, false));
    }
}
