//! `sortie cancel`: ends jobs and sweeps, whoever sees to them.

mod job;
mod sweep;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sortie_results::Consent;

use crate::exit_status;
use crate::failure::Failure;
use crate::job::TakeOverArgs;
use crate::output;
use crate::view::View;

/// After so long it is said what is waited for.
const SILENT: Duration = Duration::from_secs(1);

const AFTER_HELP: &str = "\
Asks whoever sees to a job, be it `sortie submit` or `sortie run` on another
terminal, to end it as Ctrl-C does: its processes get SIGTERM and, after their
grace period, SIGKILL. A job of Slurm that nobody sees to is cancelled there.
A sweep begins nothing more and cancels what runs; it can be resumed; asked a second
time it kills what runs. Returns when
all are over, with a line for each; what is over already stays as it is.

Exit status: 0 if all are over; 3 if one is not after --timeout; 2 if one cannot
be cancelled from here.

Example:
  sortie cancel gen_0/results";

/// End jobs and sweeps, and wait until they are over
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs, or directories of sweeps
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    take_over: TakeOverArgs,
    /// Without a grace period; of a sweep, what Slurm has is left to it
    #[arg(long)]
    now: bool,
    /// How long to wait for the end of each
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Print a JSON object for each, on a line, as `sortie status --json` does
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args, verbose: bool) -> Result<u8, Failure> {
    // All are asked before the first is waited for.
    let how = How { now: args.now, verbose, consent: args.take_over.consent() };
    let asked: Vec<_> = args.dirs.iter().map(|dir| ask(dir, &how)).collect();
    let timeout = Duration::from_secs(args.timeout);
    let mut largest = exit_status::CORRECT;
    let mut printed = Ok(());
    for (dir, asked) in args.dirs.iter().zip(asked) {
        let wait = Wait { dir, begun: Instant::now(), timeout, said: Cell::new(false) };
        let over = asked.and_then(|()| until_over(&wait, &how));
        match over {
            // What cannot be printed once need not be tried again; all are waited for.
            Ok(view) => printed = printed.and_then(|()| view.show(args.json)),
            Err(failure) => {
                failure.report();
                largest = largest.max(failure.status());
            }
        }
    }
    printed.map(|()| largest)
}

/// Has it ended by whoever sees to it.
fn ask(dir: &Path, how: &How) -> Result<(), Failure> {
    match View::of(dir)? {
        View::Job(job) => job::ask(&job, how),
        View::Sweep(sweep) => sweep::ask(&sweep, how),
    }
}

/// How something is to be ended.
struct How {
    now: bool,
    verbose: bool,
    consent: Consent,
}

fn until_over(wait: &Wait<'_>, how: &How) -> Result<View, Failure> {
    loop {
        let view = View::of(wait.dir)?;
        let is_over = match &view {
            View::Job(job) => job::is_over(job, wait, how)?,
            View::Sweep(sweep) => sweep::is_over(sweep, wait)?,
        };
        if is_over {
            return Ok(view);
        }
    }
}

/// The waiting for an end.
struct Wait<'a> {
    dir: &'a Path,
    begun: Instant,
    timeout: Duration,
    said: Cell<bool>,
}

impl Wait<'_> {
    /// Waits for a moment, and says after another for whom.
    fn on(&self, who: &str, rest: impl FnOnce(Duration)) -> Result<(), Failure> {
        let waited = self.begun.elapsed();
        let left = self.timeout.saturating_sub(waited);
        if waited >= SILENT && !self.said.replace(true) {
            output::note(&format!("waiting for {who}, which is ending {}", self.dir.display()));
        }
        if left.is_zero() {
            return Err(Failure::Job {
                dir: self.dir.to_owned(),
                problem: format!(
                    "not over after {} s; it is being stopped by {who}",
                    self.timeout.as_secs()
                ),
                hint: "`sortie cancel --now` leaves it no grace period".to_owned(),
                status: exit_status::INFRASTRUCTURE,
            });
        }
        rest(if self.said.get() { left } else { left.min(SILENT) });
        Ok(())
    }
}
