//! `sortie wait`: until jobs are over.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_config::JobConfig;
use sortie_results::{InUse, JobState};
use sortie_scheduler::{HandleError, JobHandle, JobView};

use crate::detached::detach_with;
use crate::failure::Failure;
use crate::forms::SweepState;
use crate::job::ConfigArgs;
use crate::view::{self, View};
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Prints a line for each job when it is over, in their order. Ctrl-C ends the
waiting and leaves the jobs as they are.

If the launcher of a Slurm job was killed, --config with its settings has the job
taken up again by a new process in the background.

Exit status: that of `sortie run`; of several, the largest. 3 for a job that is
lost, 2 for a directory that holds nothing of a job. Of a sweep: 0 if each of its
candidates has a verdict, else 2 or 3 as of `sortie sweep`.

Example:
  sortie wait gen_0/results && sortie results gen_0/results | jq .metrics";

/// Wait until jobs and sweeps are over
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs, or directories of sweeps
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// The settings of Slurm jobs whose launcher is gone
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a JSON object for each, on a line, as `sortie status --json` does
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let config = args.config.as_deref().map(|file| ConfigArgs::of(file).load()).transpose()?;
    let mut largest = exit_status::CORRECT;
    for dir in &args.dirs {
        let status = match until_over(dir, config.as_ref()) {
            Ok(view) => {
                view.show(args.json)?;
                match &view {
                    View::Job(job) => view::job::status(job),
                    View::Sweep(sweep) => sweep.status(),
                }
            }
            Err(failure) => {
                failure.report();
                failure.status()
            }
        };
        largest = largest.max(status);
    }
    Ok(largest)
}

/// Waits until the job or sweep is over, and has a job taken up where nobody sees to it.
fn until_over(dir: &Path, config: Option<&JobConfig>) -> Result<View, Failure> {
    let mut told = Told::default();
    loop {
        let job = match View::of(dir)? {
            View::Job(job) => job.handle(),
            View::Sweep(sweep)
                if matches!(sweep.state, SweepState::Running | SweepState::Unknown) =>
            {
                told.once(sweep.standing.in_use(dir));
                sweep.pause(Duration::MAX);
                continue;
            }
            over @ View::Sweep(_) => return Ok(over),
        };
        let show =
            |job: &JobView| told.once(job.in_use().filter(|_| job.state() == JobState::Unknown));
        match (job.wait_with(show), config) {
            (Err(HandleError::Orphaned { .. }), Some(config)) => take_up(&job, config)?,
            (waited, _) => return Ok(View::Job(Box::new(waited?))),
        }
    }
}

/// Whether it was told that nobody can say whether what is waited for comes.
#[derive(Default)]
struct Told(bool);

impl Told {
    fn once(&mut self, in_use: Option<InUse>) {
        if let Some(in_use) = in_use.filter(|in_use| !in_use.certain)
            && !std::mem::replace(&mut self.0, true)
        {
            output::note(&format!("waiting, but {in_use}"));
        }
    }
}

/// Has a job of Slurm taken up by a process that goes on by itself; all is well if another has been quicker.
fn take_up(job: &JobHandle, config: &JobConfig) -> Result<(), Failure> {
    match detach_with(config, ["attach".as_ref(), "--".as_ref(), job.dir().as_os_str()]) {
        Err(_) if job.status()?.state() != JobState::Orphaned => Ok(()),
        taken => taken,
    }
}
