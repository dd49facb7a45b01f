//! `sortie status`: where jobs are.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::view::View;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Prints a line for each: its state, the directory, and what is known.
  queued    it waits: for its start, in Slurm's queue, or for another attempt
  running   its attempt is under way
  stopping  it is being stopped
  finished  it is over, and recorded in job.json
  orphaned  Slurm has it or had, and nobody sees to it: `sortie attach` does again
  lost      whoever saw to it was killed, and the job with it

The exit status is 0, or 2 if a directory holds nothing of a job.

Example:
  sortie status gen_*/results";

/// Tell where jobs are, by their results dirs
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs
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
            Ok(view) => show(&view, args.json)?,
            Err(failure) => {
                failure.report();
                failed = true;
            }
        }
    }
    Ok(if failed { exit_status::SETUP } else { exit_status::CORRECT })
}

/// Prints where a job is.
pub(crate) fn show(view: &View, json: bool) -> Result<(), Failure> {
    let printed = if json {
        output::json(&view.form()).and_then(|json| output::print(&json))
    } else {
        output::print_styled(&view.line())
    };
    printed.map_err(Failure::Output)
}
