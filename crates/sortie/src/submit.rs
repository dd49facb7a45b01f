//! `sortie submit`: one job, without this terminal.

use std::path::Path;

use crate::attend::see_to;
use crate::detached::{Launcher, as_detached, detach_this};
use crate::exit_status;
use crate::failure::Failure;
use crate::job::JobArgs;
use crate::view::View;

const AFTER_HELP: &str = "\
Does what `sortie run` does, in a process of its own that goes on when this
terminal is closed and after a logout. The command returns when the job is
accepted: started here, or in Slurm's queue. What keeps it from that is told as
`sortie run` tells it, and nothing goes on then.

Its results dir is how it is found again, from any terminal:
  sortie status gen_0/results       where it is
  sortie logs -f gen_0/results      what it writes, as it does
  sortie wait gen_0/results         until it is over; the exit statuses of `run`
  sortie results gen_0/results      the JSON that `sortie run` prints
  sortie cancel gen_0/results       ends it
Where the process is killed, a job on this machine ends with it; one of Slurm goes
on, and `sortie attach` takes it up. Systems that end what a user leaves behind at
logout do so with this, too (`loginctl enable-linger` asks systemd not to).

Exit status: 0 if the job is accepted, else as of `sortie run`.

Example:
  sortie submit --config job.yaml gen_0/main.py gen_0/results";

/// Run the evaluator on a candidate without this terminal
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
    /// Print where the job is as a JSON object, as `sortie status --json` does
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

/// Prints the state of a job that goes on in the background.
pub(crate) fn under_way(results_dir: &Path, json: bool) -> Result<u8, Failure> {
    View::of(results_dir)?.show(json)?;
    Ok(exit_status::CORRECT)
}
