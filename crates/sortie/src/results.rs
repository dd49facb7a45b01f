//! `sortie results`: what jobs came to.

use std::io;
use std::path::PathBuf;

use sortie_scheduler::{HandleError, JobView};
use sortie_sweep::{State, SweepDir, SweepError};

use crate::failure::Failure;
use crate::view::{self, View};
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Prints the JSON object that `sortie run` prints, read from the record and the
files that the job left: on one line, or indented at a terminal. As much is read of
them as the settings of the job allowed (log_tail_bytes, max_result_bytes).

Of a sweep it prints the lines of its results.jsonl: one for each candidate that is
done so far, in the order in which they were. Each candidate's results dir can be
named by itself.

The exit status is 0, whatever the job came to, or 2 if one is not over.

Examples:
  sortie results gen_*/results | jq .metrics.combined_score
  sortie results --top 1 sweep | jq -r .candidate";

/// Print the results of jobs that are over, as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs, or directories of sweeps
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Of a sweep, only the N best, the best first
    #[arg(long, value_name = "N")]
    top: Option<usize>,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let mut failed = false;
    for dir in &args.dirs {
        let printed = View::of(dir).and_then(|view| match view {
            View::Job(job) => of_job(&job),
            View::Sweep(sweep) => of_sweep(&sweep.dir, args.top),
        });
        match printed {
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => {
                failure.report();
                failed = true;
            }
            Ok(()) => {}
        }
    }
    Ok(if failed { exit_status::SETUP } else { exit_status::CORRECT })
}

fn of_job(job: &JobView) -> Result<(), Failure> {
    let results = job.results().map_err(|error| match (&error, view::job::advice(job)) {
        (HandleError::NoRecord { .. }, Some(hint)) => Failure::Refused {
            message: error.to_string(),
            hint: Some(hint),
            status: exit_status::SETUP,
        },
        _ => error.into(),
    })?;
    output::json(&results).and_then(|json| output::print(&json)).map_err(Failure::Output)
}

/// Prints the lines of those that are done, as they are in the file; or of the best.
fn of_sweep(dir: &SweepDir, top: Option<usize>) -> Result<(), Failure> {
    let print = |mut line: Vec<u8>| {
        line.push(b'\n');
        output::print(&line).map_err(Failure::Output)
    };
    let Some(top) = top else {
        for line in dir.results()? {
            print(line.map_err(|cause| unreadable(dir, cause))?)?;
        }
        return Ok(());
    };
    let sweep = dir.read()?;
    let scored = sweep.states.iter().filter_map(State::end);
    let mut scored: Vec<_> = scored.filter_map(|end| Some((end.score?, end))).collect();
    // Of equal scores the first candidate comes first.
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().take(top).try_for_each(|(_, end)| print(dir.result(end)?))
}

fn unreadable(dir: &SweepDir, cause: io::Error) -> Failure {
    SweepError::Io { action: "read", path: dir.results_file(), cause }.into()
}
