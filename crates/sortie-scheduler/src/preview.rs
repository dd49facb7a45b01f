//! What would run, without running it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sortie_config::JobConfig;
use sortie_script::READY_FD;

use crate::SchedulerError;
use crate::here::Here;
use crate::job::Paths;
use crate::local::Plan;

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
    let plan = Plan::new(config.clone(), Here::now()?)?;
    let planned = plan
        .evaluation(&Paths::new(candidate.as_ref(), results_dir.as_ref()))
        .map_err(|error| SchedulerError::NotReady(error.to_string()))?;
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
