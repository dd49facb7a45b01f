//! `sortie status`: where jobs and sweeps are.

use std::path::PathBuf;

use crate::exit_status;
use crate::failure::Failure;
use crate::view::View;

const AFTER_HELP: &str = "\
Prints a line for each: its state, the directory, and what is known.
  queued    it waits: for its start, in Slurm's queue, or for another attempt
  running   its attempt is under way
  stopping  it is being stopped
  finished  it is over, and recorded in job.json
  orphaned  Slurm has it or had, and nobody sees to it: `sortie attach` does again
  lost      whoever saw to it was killed, and the job with it
  unknown   whoever saw to it cannot be seen from here, as on another machine
            where the file system has no locks: look there
A sweep is running, finished, unknown, or stopped: not done, and `sortie sweep
--resume` goes on with it.

The exit status is 0, or 2 if a directory holds nothing of either.

Example:
  sortie status gen_*/results";

/// Tell where jobs and sweeps are, by their directories
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs, or directories of sweeps
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Print a JSON object for each, on a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let mut failed = false;
    for dir in &args.dirs {
        match View::of(dir) {
            Ok(view) => view.show(args.json)?,
            Err(failure) => {
                failure.report();
                failed = true;
            }
        }
    }
    Ok(if failed { exit_status::SETUP } else { exit_status::CORRECT })
}
