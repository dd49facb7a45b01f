//! `sortie attach`: a job that another launcher has submitted, to its results.

use std::path::PathBuf;

use sortie_config::JobConfig;

use crate::attend::{Errand, see_to};
use crate::detached::{Launcher, as_detached, detach_this};
use crate::failure::Failure;
use crate::job::{ConfigArgs, TakeOverArgs};
use crate::submit;

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
    #[command(flatten)]
    take_over: TakeOverArgs,
    /// Do so without this terminal, as `sortie submit` does
    #[arg(long)]
    detach: bool,
    /// The results dir that the job was given
    results_dir: PathBuf,
}

pub(crate) fn execute(args: &Args, verbose: bool, detached: bool) -> Result<u8, Failure> {
    if detached {
        return as_detached(|launcher| attach(args, launcher.settings()?, verbose, Some(launcher)));
    }
    let config = args.config.load()?;
    if args.detach {
        detach_this(&config)?;
        return submit::under_way(&args.results_dir, false);
    }
    attach(args, config, verbose, None).map_err(|failure| failure.in_dir(&args.results_dir))
}

fn attach(
    args: &Args,
    config: JobConfig,
    verbose: bool,
    launcher: Option<&Launcher>,
) -> Result<u8, Failure> {
    let errand = Errand {
        config,
        name: &args.results_dir,
        results_dir: &args.results_dir,
        candidate: None,
        command: "attach",
        verbose,
        launcher,
        prints: true,
        consent: args.take_over.consent(),
    };
    see_to(errand, async |scheduler| {
        let job = scheduler.attach_to(&args.results_dir).await?;
        scheduler.wait(job).await?;
        scheduler.collect(job).await
    })
}
