//! `sortie attach`: a job that another launcher has submitted, to its results.

use std::path::PathBuf;

use crate::attend::see_to;
use crate::failure::Failure;
use crate::job::ConfigArgs;

const AFTER_HELP: &str = "\
For a job of Slurm whose `sortie run` was killed or lost its connection: the job
itself goes on. It is found again by what was noted in its results dir, waited
for, and reported as `sortie run` does, with the same exit statuses. Ctrl-C
cancels it.

Example:
  sortie attach --config job.yaml gen_0/results";

/// Take up a job again that was submitted to Slurm, and print its results as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// The results dir that the job was given
    results_dir: PathBuf,
}

pub(crate) fn execute(args: &Args, verbose: bool) -> Result<u8, Failure> {
    see_to(args.config.load()?, &args.results_dir, verbose, async |scheduler| {
        let job = scheduler.attach(&args.results_dir)?;
        scheduler.wait(job).await?;
        scheduler.results(job)
    })
}
