//! The example's settings, for jobs that start anywhere.

use std::ffi::OsString;

use anyhow::{Result, bail};
use sortie_config::{
    JobConfig, LocalJobConfig, Memory, SlurmCondaJobConfig, SlurmDockerJobConfig, TimeLimit,
};
use sortie_scheduler::SchedulerOptions;

use super::{EXAMPLE, mark::Mark};
use crate::{docker::Engine, slurm::Cluster, workspace};

/// What the candidates are run with.
pub(super) struct Settings {
    pub(super) config: JobConfig,
    pub(super) options: SchedulerOptions,
}

impl Settings {
    /// On this machine.
    pub(super) fn local(mark: &Mark) -> Result<Self> {
        Ok(Self { config: example(mark)?.into(), options: SchedulerOptions::default() })
    }

    /// With Slurm, whose smallest time limit is a minute.
    pub(super) fn slurm(mark: &Mark, cluster: &Cluster) -> Result<Self> {
        let LocalJobConfig { eval_program_path, environment, limits, .. } = example(mark)?;
        let config = SlurmCondaJobConfig {
            eval_program_path,
            environment,
            limits,
            time: TimeLimit::from_seconds(60)?,
            gpus: 0.into(),
            mem: Some(Memory::from_gibibytes(1)),
            ..SlurmCondaJobConfig::default()
        };
        Ok(Self { config: config.into(), options: options([slurm_conf(cluster)]) })
    }

    /// The same in containers, with an image that is there already.
    pub(super) fn docker(mark: &Mark, cluster: &Cluster, engine: &Engine) -> Result<Self> {
        let LocalJobConfig { eval_program_path, environment, limits, .. } = example(mark)?;
        let config = SlurmDockerJobConfig {
            eval_program_path,
            environment,
            limits,
            image: engine.python.name.to_owned(),
            image_tar_path: Some(engine.python.tar.clone()),
            network: Some("none".to_owned()),
            time: TimeLimit::from_seconds(60)?,
            gpus: 0.into(),
            mem: Some(Memory::from_gibibytes(1)),
            ..SlurmDockerJobConfig::default()
        };
        let host = ("DOCKER_HOST".into(), engine.host.clone().into());
        Ok(Self { config: config.into(), options: options([slurm_conf(cluster), host]) })
    }
}

fn slurm_conf(cluster: &Cluster) -> (OsString, OsString) {
    ("SLURM_CONF".into(), cluster.conf.clone().into())
}

/// With these variables beside this process's.
fn options<const N: usize>(variables: [(OsString, OsString); N]) -> SchedulerOptions {
    let env = std::env::vars_os().chain(variables).collect();
    SchedulerOptions { env: Some(env), ..SchedulerOptions::default() }
}

fn example(mark: &Mark) -> Result<LocalJobConfig> {
    let example = workspace::root().join(EXAMPLE);
    let JobConfig::Local(config) = JobConfig::load(&example.join("job.yaml"))? else {
        bail!("{EXAMPLE}/job.yaml is expected to be of local jobs");
    };
    let mut environment = config.environment;
    mark.set(&mut environment);
    let eval_program_path = example.join(config.eval_program_path);
    Ok(LocalJobConfig { eval_program_path, environment, ..config })
}
