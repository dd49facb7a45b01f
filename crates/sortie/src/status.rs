//! `sortie status`: where jobs and sweeps are.

use std::path::PathBuf;

use crate::exit_status;
use crate::failure::Failure;
use crate::view::View;

const AFTER_HELP: &str = "\
Prints a line for each: its state, its directory, and details.
  queued    it waits: for its start, in Slurm's queue, or for another attempt
  running   its attempt is under way
  stopping  it is being stopped
  finished  it is over, and recorded in job.json
  orphaned  it was submitted to Slurm, and its launcher is gone: `sortie attach`
            takes it over
  lost      its launcher was killed, and the job with it
  unknown   sortie cannot tell whether its launcher still runs: for example, on
            another machine with a file system without locks. Look there
A sweep is running, finished, unknown or stopped. `sortie sweep --resume` goes on
with one that is stopped.

The exit status is 0, or 2 if a directory holds neither a job nor a sweep.

Example:
  sortie status gen_*/results";

/// Print the states of jobs and sweeps
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
