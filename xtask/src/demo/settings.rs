//! The example's settings, for jobs that start anywhere.

use anyhow::{Result, bail};
use sortie_config::{JobConfig, LocalJobConfig, Memory, SlurmCondaJobConfig, TimeLimit};
use sortie_scheduler::SchedulerOptions;

use super::{EXAMPLE, mark::Mark};
use crate::{slurm::Cluster, workspace};

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
        let conf = ("SLURM_CONF".into(), cluster.conf.clone().into());
        let env = std::env::vars_os().chain([conf]).collect();
        let options = SchedulerOptions { env: Some(env), ..SchedulerOptions::default() };
        Ok(Self { config: config.into(), options })
    }
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
