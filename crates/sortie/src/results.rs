//! `sortie results`: what jobs came to.

use std::path::PathBuf;

use sortie_results::{ReadLimits, load};

use crate::failure::Failure;
use crate::forms::State;
use crate::view::View;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Prints the JSON object that `sortie run` prints, read from the record and the
files that the job left: on one line, or indented at a terminal. Of each log the
last MiB is in it, of result files up to 16 MiB.

The exit status is 0, whatever the job came to, or 2 if one is not over.

Example:
  sortie results gen_*/results | jq .metrics.combined_score";

/// Print the results of jobs that are over, as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let mut failed = false;
    for dir in &args.dirs {
        let view = match View::of(dir).and_then(over) {
            Ok(view) => view,
            Err(failure) => {
                failure.report();
                failed = true;
                continue;
            }
        };
        let (_, results) =
            load(dir, view.record().map(|record| record.attempt), ReadLimits::default())?;
        output::json(&results).and_then(|json| output::print(&json)).map_err(Failure::Output)?;
    }
    Ok(if failed { exit_status::SETUP } else { exit_status::CORRECT })
}

fn over(view: View) -> Result<View, Failure> {
    let (problem, hint) = match view.state {
        State::Finished => return Ok(view),
        State::Queued | State::Running | State::Stopping => {
            ("the job is not over", "`sortie wait DIR` waits for it".to_owned())
        }
        State::Orphaned | State::Lost => {
            ("the job has no record", view.advice().unwrap_or_default())
        }
    };
    Err(Failure::Job {
        dir: view.dir,
        problem: problem.to_owned(),
        hint,
        status: exit_status::SETUP,
    })
}
