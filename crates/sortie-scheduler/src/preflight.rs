//! What jobs could not do without, looked for before many of them are begun.

use sortie_config::{JobConfig, JobType};

use crate::check::{advice, archive};
use crate::here::Here;
use crate::local::{NotReady, Plan};
use crate::{Problem, SchedulerError, slurm};

/// The first thing that keeps every job with these settings from running, of those that can be seen at once and for
/// certain: no program is started, and no engine or cluster is asked, which may be away for a moment. [`crate::check`]
/// looks for more.
///
/// Every job needs its evaluator. One of this machine needs its interpreter or its Conda environment, too; one in a
/// container here the engine's command, and its image's archive, if it comes from one. Of what else a job of Slurm needs
/// a node may see what is not seen from here.
pub fn preflight(config: &JobConfig) -> Option<Problem> {
    let here = Here::now().and_then(|here| config.validate().map(|()| here).map_err(Into::into));
    let refused = |error: SchedulerError| Problem {
        what: error.to_string(),
        advice: "correct the settings".to_owned(),
    };
    let here = match here {
        Ok(here) => here,
        Err(error) => return Some(refused(error)),
    };
    let cwd = here.cwd.clone();
    match config.job_type() {
        JobType::SlurmConda | JobType::SlurmDocker => match slurm::Plan::new(config.spec(), here) {
            Err(error) => Some(refused(error)),
            Ok(plan) => plan.usable().err().map(|error| of_local(&error.into())),
        },
        JobType::Local | JobType::LocalDocker => match Plan::new(config.spec(), here) {
            Err(error) => Some(refused(error)),
            Ok(plan) => plan
                .ready()
                .err()
                .map(|error| of_local(&error))
                .or_else(|| archive(&plan.spec, &cwd).and_then(|finding| finding.result.err())),
        },
    }
}

fn of_local(error: &NotReady) -> Problem {
    Problem { advice: advice(error).to_owned(), what: error.to_string() }
}
