//! `sortie attach`: a job that another launcher has submitted, to its results.

use std::path::PathBuf;

use sortie_config::JobConfig;

use crate::attend::{Errand, see_to};
use crate::detached::{Launcher, as_detached, detach_this};
use crate::failure::Failure;
use crate::job::{ConfigArgs, TakeOverArgs};
use crate::submit;

const AFTER_HELP: &str = "\
If `sortie run` is killed or loses its connection, its Slurm job goes on. This
command finds the job by the files of its results dir, waits for it, and prints its
results as `sortie run` does, with the same exit statuses. Ctrl-C cancels the job.

Example:
  sortie attach --config job.yaml gen_0/results";

/// Wait for a Slurm job whose launcher is gone, and print its results as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    take_over: TakeOverArgs,
    /// Wait in the background, as `sortie submit` does
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
