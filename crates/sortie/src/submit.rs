//! `sortie submit`: one job, without this terminal.

use std::path::Path;

use crate::attend::see_to;
use crate::detached::{Launcher, as_detached, detach_this};
use crate::exit_status;
use crate::failure::Failure;
use crate::job::JobArgs;
use crate::view::View;

const AFTER_HELP: &str = "\
Does what `sortie run` does, in a background process that goes on when you close
this terminal or log out. The command returns when the job is accepted: started
here, or in Slurm's queue. If it cannot be, the command prints the error that
`sortie run` would print, and starts nothing.

These commands find the job by its results dir, from any terminal:
  sortie status gen_0/results       prints its state
  sortie logs -f gen_0/results      prints its logs as they grow
  sortie wait gen_0/results         waits for its end; has the exit statuses of `run`
  sortie results gen_0/results      prints the JSON that `sortie run` prints
  sortie cancel gen_0/results       ends it
If the background process is killed, a job on this machine ends with it. A job of
Slurm goes on, and `sortie attach` takes it over. Some systems end all processes of
a user at logout, this one included; `loginctl enable-linger` keeps systemd from it.

Exit status: 0 if the job is accepted, else that of `sortie run`.

Example:
  sortie submit --config job.yaml gen_0/main.py gen_0/results";

/// Run the evaluator on a candidate in the background
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Print the state of the job as a JSON object, as `sortie status --json` does
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args, verbose: bool, detached: bool) -> Result<u8, Failure> {
    if detached {
        return as_detached(|launcher| keep(&args.job, verbose, launcher));
    }
    detach_this(&args.job.load()?)?;
    under_way(&args.job.results_dir, args.json)
}

fn keep(job: &JobArgs, verbose: bool, launcher: &Launcher) -> Result<u8, Failure> {
    see_to(job.errand("submit", verbose, Some(launcher))?, async |scheduler| {
        let (results, _wall_time) = scheduler.run(&job.candidate, &job.results_dir).await?;
        Ok(results)
    })
}

/// Says where the job is that goes on without this terminal.
pub(crate) fn under_way(results_dir: &Path, json: bool) -> Result<u8, Failure> {
    View::of(results_dir)?.show(json)?;
    Ok(exit_status::CORRECT)
}
