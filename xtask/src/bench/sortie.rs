//! The contender: a scheduler of this workspace.

use std::time::Instant;

use anyhow::{Result, ensure};
use sortie_config::JobType;
use sortie_scheduler::{JobScheduler, SchedulerOptions};

use super::{
    cpu::Meter,
    sample::Sample,
    workplace::{Evaluator, Fresh, Workplace},
};

pub(crate) struct Sortie {
    scheduler: JobScheduler,
    evaluator: Evaluator,
    width: usize,
}

impl Sortie {
    /// Runs so many jobs at once. Within a runtime, as for [`JobScheduler::new`].
    pub(crate) fn new(evaluator: &Evaluator, width: usize) -> Result<Self> {
        let options = SchedulerOptions { max_workers: width, ..SchedulerOptions::default() };
        let scheduler = JobScheduler::new(JobType::Local, evaluator.config(), options)?;
        Ok(Self { scheduler, evaluator: evaluator.clone(), width })
    }

    /// Runs so many jobs: by `run` one after the other, or else all submitted at once.
    pub(crate) async fn run(&self, jobs: usize, workplace: &Workplace) -> Result<Sample> {
        self.run_in(&workplace.fresh()?, jobs).await
    }

    /// The same in a given directory.
    pub(crate) async fn run_in(&self, fresh: &Fresh, jobs: usize) -> Result<Sample> {
        let (meter, from) = (Meter::start()?, Instant::now());
        if self.width == 1 {
            for job in 0..jobs {
                let candidate = self.evaluator.candidate();
                let (results, _) = self.scheduler.run(candidate, fresh.results_dir(job)).await?;
                ensure!(results.correct, "{:?}: {:?}", results.outcome, results.detail);
            }
        } else {
            self.submit(jobs, fresh).await?;
        }
        let wall = from.elapsed();
        Ok(Sample { jobs, wall, cpu: meter.stop()? })
    }

    async fn submit(&self, jobs: usize, fresh: &Fresh) -> Result<()> {
        let submit =
            |job| self.scheduler.submit(self.evaluator.candidate(), fresh.results_dir(job));
        let submitted = (0..jobs).map(submit).collect::<Result<Vec<_>, _>>()?;
        for job in submitted {
            let finished = self.scheduler.wait(job).await?;
            ensure!(finished.correct, "{job}: {:?}, {:?}", finished.outcome, finished.fault);
            self.scheduler.forget(job);
        }
        Ok(())
    }
}
