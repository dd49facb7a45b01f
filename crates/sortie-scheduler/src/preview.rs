//! What would run, without running it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sortie_config::{JobConfig, JobType};
use sortie_results::{AttemptId, Place};
use sortie_script::READY_FD;

use crate::here::Here;
use crate::job::Paths;
use crate::{SchedulerError, local, slurm};

/// What a job would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// A command of this machine.
    Command {
        /// The command line, the program first.
        argv: Vec<OsString>,
        /// Where it starts.
        cwd: PathBuf,
        /// The variables that it has other than the launcher, sorted by name.
        set: Vec<(OsString, OsString)>,
        /// The launcher's variables that it has not, sorted by name.
        unset: Vec<OsString>,
        /// The file descriptor that has to be open for writing, where a shell sets something up first
        /// and says there that it is done.
        ready_fd: Option<i32>,
    },
    /// A script, which sbatch would be given, or a bash on this machine.
    Script(String),
}

/// What a job with these settings would run; it runs nothing and changes nothing.
///
/// # Errors
///
/// Settings that cannot work; or something that the job needs and that is not there, such as its
/// evaluator, in [`SchedulerError::NotReady`].
pub fn preview(
    config: &JobConfig,
    candidate: impl AsRef<Path>,
    results_dir: impl AsRef<Path>,
) -> Result<Preview, SchedulerError> {
    config.validate()?;
    let paths = Paths::new(candidate.as_ref(), results_dir.as_ref());
    let here = Here::now()?;
    match config.job_type() {
        JobType::Local => command(&local::Plan::new(config.spec(), here)?, &paths),
        JobType::LocalDocker => {
            let planned = planned(&local::Plan::new(config.spec(), here)?, &paths)?;
            let script = planned.args.last().map(|script| script.to_string_lossy().into_owned());
            Ok(Preview::Script(script.unwrap_or_default()))
        }
        JobType::SlurmConda | JobType::SlurmDocker => {
            script(&slurm::Plan::new(config.spec(), here)?, &paths)
        }
    }
}

fn command(plan: &local::Plan, paths: &Paths) -> Result<Preview, SchedulerError> {
    let planned = planned(plan, paths)?;
    let launcher: BTreeMap<_, _> = plan.here.env.iter().cloned().collect();
    let job: BTreeMap<_, _> = planned.env.iter().cloned().collect();
    let set = job.iter().filter(|(name, value)| launcher.get(*name) != Some(*value));
    let unset = launcher.keys().filter(|name| !job.contains_key(*name));
    let ready_fd = planned.activates.is_some().then_some(READY_FD);
    Ok(Preview::Command {
        argv: planned.argv(),
        cwd: plan.here.cwd.clone(),
        set: set.map(|(name, value)| (name.clone(), value.clone())).collect(),
        unset: unset.cloned().collect(),
        ready_fd,
    })
}

/// As for an attempt whose id is made up, with the GPUs that the first job is dealt.
fn planned(plan: &local::Plan, paths: &Paths) -> Result<local::Planned, SchedulerError> {
    let place = Place::expected(&plan.here.cwd.join(&paths.results_dir));
    let planned = plan.evaluation(paths, place.state_dir(), AttemptId::generate());
    let mut planned = planned.map_err(|error| SchedulerError::NotReady(error.to_string()))?;
    if let Some(devices) = &plan.devices {
        devices.give_first(&mut planned);
    }
    Ok(planned)
}

/// As for an attempt whose id is made up.
fn script(plan: &slurm::Plan, paths: &Paths) -> Result<Preview, SchedulerError> {
    let attempt = AttemptId::generate();
    let results_dir = plan.here.cwd.join(&paths.results_dir);
    let place = Place::expected(&results_dir);
    let planned = plan.planned(attempt, paths, &results_dir, place.state_dir());
    let script = plan.script(&attempt.name(), &[planned]);
    script.map(Preview::Script).map_err(|error| SchedulerError::NotReady(error.to_string()))
}
